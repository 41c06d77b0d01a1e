//! A folder as a git repository. INVARIANT: nothing of the machine's git configuration reaches it.

use std::process::Command;

use super::program::Folder;

/// Commits all that is in a folder, which becomes a repository.
pub(crate) fn commit(folder: &Folder) {
    if !folder.0.join(".git/HEAD").exists() {
        folder.git("init --quiet");
    }
    folder.git("add --all");
    folder.git("commit --quiet --allow-empty --message state");
}

impl Folder {
    /// Runs git here, and gives what it prints.
    pub(crate) fn git(&self, arguments: &str) -> String {
        let output = Command::new("git")
            .args(["-c", "user.name=nobody", "-c", "user.email=nobody@example.com"])
            .args(arguments.split(' '))
            .current_dir(&self.0)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}
