//! Folders of manifests as clusters. INVARIANT: files come in the order of their paths, so results are the same everywhere.

mod calico;
mod calico_hosts;
mod cilium;
mod cilium_connectivity;
mod cilium_expected;
mod cilium_generated;
mod cilium_hostile;
mod cilium_labels;
pub(crate) mod conformance;
mod connections;
mod generated;
mod generated_calico;
mod generated_hosts;
pub(crate) mod lowered;
pub(crate) mod scheme;

use std::path::{Path, PathBuf};

use portcullis::dialect::kubernetes::{Cluster, End, Flow, Kubernetes};
use portcullis::dialect::{Dialect, Reading};
use portcullis::finding::Finding;
use portcullis::source::{FileId, Source, SourceFile, SourceMap};

/// A folder of the corpus, if there is one.
pub(crate) fn corpus(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("PORTCULLIS_CORPUS").map(|root| PathBuf::from(root).join(path));
    let root = root.filter(|root| root.is_dir());
    if root.is_none() {
        println!("skipped: PORTCULLIS_CORPUS has no {path}");
    }
    root
}

/// Manifests that belong together.
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    pub(crate) sources: SourceMap,
    files: Vec<FileId>,
}

impl Folder {
    /// The folders directly in one, in order.
    pub(crate) fn all(root: &Path) -> Vec<Self> {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(root)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_dir())
            .collect();
        paths.sort();
        paths.iter().map(|path| Self::read(path)).collect()
    }

    /// All manifests below a folder.
    pub(crate) fn read(path: &Path) -> Self {
        let mut folder = Self {
            path: path.to_owned(),
            ..Self::empty()
        };
        let files = walkdir::WalkDir::new(path).sort_by_file_name().into_iter();
        for file in files
            .map(Result::unwrap)
            .filter(|entry| entry.file_type().is_file())
        {
            let is_manifest = file
                .path()
                .extension()
                .is_some_and(|ending| ["yaml", "yml", "json"].iter().any(|known| ending == *known));
            if is_manifest {
                folder.add(
                    &file.path().display().to_string(),
                    std::fs::read(file.path()).unwrap(),
                );
            }
        }
        folder
    }

    pub(crate) fn empty() -> Self {
        Self {
            path: PathBuf::new(),
            sources: SourceMap::new(),
            files: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, name: &str, bytes: Vec<u8>) {
        self.files
            .push(self.sources.add(SourceFile::from_bytes(name, bytes)));
    }

    pub(crate) fn name(&self) -> String {
        self.path.file_name().unwrap().to_string_lossy().into_owned()
    }

    pub(crate) fn cluster(&self) -> (Cluster, Vec<Finding>) {
        Cluster::read(&self.unit())
    }

    pub(crate) fn reading(&self) -> Reading {
        Kubernetes.read(&self.unit())
    }

    fn unit(&self) -> Vec<Source<'_>> {
        self.files.iter().map(|file| self.sources.source(*file)).collect()
    }
}

/// The workload of a name, `namespace/name`.
#[track_caller]
pub(crate) fn pod_set(cluster: &Cluster, name: &str) -> End {
    let at = cluster.workloads().position(|(known, _)| known == name);
    End::Workload(at.unwrap_or_else(|| panic!("no workload {name}")))
}

/// A packet by the words of its protocol, TCP without one.
pub(crate) fn flow(protocol: &str, port: u16) -> Flow {
    let protocol = match protocol {
        "" | "tcp" => 6,
        "udp" => 17,
        "sctp" => 132,
        "icmp" => {
            return Flow {
                protocol: 1,
                port: port << 8,
            };
        }
        other => panic!("no protocol {other}"),
    };
    Flow { protocol, port }
}
