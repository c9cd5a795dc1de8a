//! The heap memory that a value uses.

/// The heap memory of a list: its capacity, and the heap memory of its items.
pub(crate) fn list_heap_size<T>(list: &Vec<T>, item: impl Fn(&T) -> usize) -> usize {
    list.capacity() * size_of::<T>() + list.iter().map(item).sum::<usize>()
}
