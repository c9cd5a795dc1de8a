//! Determines the id of the container of this process, from files under `/proc`.

/// Returns the id, if this is a container of Docker, Podman, containerd or CRI-O that can be recognized from the
/// inside.
pub(super) fn id(file: impl Fn(&str) -> Option<String>) -> Option<String> {
    let of_cgroup = file("/proc/self/cgroup").and_then(|text| of_cgroup(&text));
    of_cgroup.or_else(|| of_mountinfo(&file("/proc/self/mountinfo")?))
}

/// With cgroups version 1, or with version 2 seen from the host, the container is the last part of a path:
/// `4:memory:/docker/<id>`, `0::/system.slice/docker-<id>.scope`, `.../cri-containerd-<id>.scope`.
fn of_cgroup(text: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let path = line.splitn(3, ':').nth(2)?;
        let last = path.rsplit('/').next()?;
        let last = last.strip_suffix(".scope").unwrap_or(last);
        full_id(last.rsplit(['-', ':']).next()?)
    })
}

/// With version 2, only the files that the engine mounts into a container have its id in their path on the host:
/// `731 657 8:1 /var/lib/docker/containers/<id>/hostname /etc/hostname rw - ext4 ..`. That of a sandbox is not the container's.
fn of_mountinfo(text: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let mut fields = line.split(' ').skip(3);
        let (root, mounted_at) = (fields.next()?, fields.next()?);
        if !matches!(mounted_at, "/etc/hostname" | "/etc/hosts" | "/etc/resolv.conf") || root.contains("/sandboxes/") {
            return None;
        }
        root.split('/').find_map(full_id)
    })
}

fn full_id(text: &str) -> Option<String> {
    let is_id = text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_id.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::id;
    use proptest::prelude::*;

    const ID: &str = "3f248b7b9b045587b1c215c5c33899cc3f248b7b9b045587b1c215c5c33899cc";

    fn found(cgroup: &str, mountinfo: &str) -> Option<String> {
        id(|path| match path {
            "/proc/self/cgroup" => Some(cgroup.to_owned()),
            "/proc/self/mountinfo" => Some(mountinfo.to_owned()),
            other => panic!("{other} is read"),
        })
    }

    #[test]
    fn the_engines_paths_are_known() {
        for path in [
            "4:memory:/docker/ID",
            "12:cpu,cpuacct:/\n11:pids:/kubepods/besteffort/pod0f-1/ID",
            "0::/system.slice/docker-ID.scope",
            "0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-ID.scope",
            "1:name=systemd:/kubepods.slice/crio-ID.scope",
            "1:name=systemd:/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:ID",
            "0::/machine.slice/libpod-ID.scope",
        ] {
            assert_eq!(found(&path.replace("ID", ID), "").as_deref(), Some(ID), "{path}");
        }
        for line in [
            "731 657 8:1 /var/lib/docker/containers/ID/hostname /etc/hostname rw,relatime - ext4 /dev/sda1 rw",
            "1 2 0:1 / / rw - overlay overlay rw\n731 657 8:1 /overlay-containers/ID/userdata/hosts /etc/hosts rw - ext4 x rw",
        ] {
            assert_eq!(found("0::/\n", &line.replace("ID", ID)).as_deref(), Some(ID), "{line}");
        }
    }

    #[test]
    fn what_is_no_container_has_no_id() {
        for path in [
            "",
            "0::/",
            "0::/user.slice/user-1000.slice/session-3.scope",
            "4:memory:/process_api/3f248b7b9b045587b1c215c5c33899cc",
        ] {
            assert_eq!(found(path, ""), None, "{path}");
        }
        for line in [
            "731 657 8:1 /io.containerd.grpc.v1.cri/sandboxes/ID/hostname /etc/hostname rw - ext4 x rw",
            "731 657 8:1 /var/lib/docker/volumes/ID/_data /data rw - ext4 x rw",
            "731 657 8:1 /etc/hostname /etc/hostname rw - ext4 x rw",
        ] {
            assert_eq!(found("0::/", &line.replace("ID", ID)), None, "{line}");
        }
        assert_eq!(id(|_| None), None);
    }

    proptest! {
        #[test]
        fn whatever_the_files_hold_an_id_is_64_digits(
            cgroup in "([0-9:/.a-z-]{0,90}\n){0,3}|\\PC*",
            mountinfo in "([0-9a-f /:-]{0,120}\n){0,3}|\\PC*",
        ) {
            if let Some(id) = found(&cgroup, &mountinfo) {
                prop_assert!(id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
            }
        }
    }
}
