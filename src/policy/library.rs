//! The policies that ship with portcullis, in their own language. INVARIANT: each resolves without settings, and is
//! in canonical form.

macro_rules! shipped {
    ($($name:literal),+ $(,)?) => {
        /// Names of the policies that ship, `common` first.
        pub const BUILTIN: &[&str] = &[$($name),+];

        /// The text of a policy that ships.
        #[must_use]
        pub fn builtin(name: &str) -> Option<&'static str> {
            match name {
                $($name => Some(include_str!(concat!("../../policies/", $name, ".ports"))),)+
                _ => None,
            }
        }
    };
}

shipped! {
    "common",
    "calico",
    "ceph",
    "consul",
    "docker-swarm",
    "etcd",
    "k3s",
    "kafka",
    "kubernetes",
    "mke",
    "nomad",
    "openstack",
    "opensearch",
    "postgresql",
    "prometheus",
    "rabbitmq",
    "redis",
    "rke2",
    "stacklight",
    "stackstate-agent",
    "vault",
}
