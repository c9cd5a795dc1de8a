//! What a value takes in memory beside itself.

/// What a list takes beside itself: the room for its items, and what they take beside themselves.
pub(crate) fn list_heap_size<T>(list: &Vec<T>, item: impl Fn(&T) -> usize) -> usize {
    list.capacity() * size_of::<T>() + list.iter().map(item).sum::<usize>()
}
