//! Starting a program as a user that PostgreSQL accepts, and that dies with its parent.

use std::{
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::error::Error;

/// How programs are started here.
#[derive(Debug)]
pub(crate) struct Launcher {
    prefix: Vec<String>,
}

impl Launcher {
    /// Tries what this machine allows, in this order. As root: a user namespace in which we are not root and files stay
    /// ours (works under `/root` too), else the `postgres` or `nobody` user.
    pub(crate) fn detect(data_dir: &Path) -> Result<Self, Error> {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let dies_with_us = words("setpriv --pdeathsig INT");
        let metadata = std::fs::metadata("/proc/self")
            .map_err(|source| Error::Io { path: PathBuf::from("/proc/self"), source });
        let is_root = metadata.is_ok_and(|metadata| metadata.uid() == 0);
        if !is_root {
            let prefix = if works(&dies_with_us) { dies_with_us } else { Vec::new() };
            return Ok(Self { prefix });
        }
        let namespace = [words("unshare --map-user=1000 --map-group=1000"), dies_with_us].concat();
        if works(&namespace) {
            return Ok(Self { prefix: namespace });
        }
        for user in ["postgres", "nobody"] {
            let switch = words(&format!(
                "setpriv --reuid={user} --regid={user} --clear-groups --pdeathsig INT"
            ));
            if works(&switch) {
                give_to(user, data_dir)?;
                return Ok(Self { prefix: switch });
            }
        }
        Err(Error::Start {
            reason: "it refuses to run as root, and neither a user namespace nor another user can \
                     be used; run as another user"
                .to_owned(),
            log: data_dir.join("server.log"),
        })
    }

    /// A command that runs `program` that way.
    pub(crate) fn command(&self, program: &Path) -> Command {
        match self.prefix.split_first() {
            None => Command::new(program),
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
        }
    }
}

fn works(prefix: &[String]) -> bool {
    prefix.split_first().is_some_and(|(first, rest)| {
        Command::new(first)
            .args(rest)
            .arg("true")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    })
}

fn give_to(user: &str, data_dir: &Path) -> Result<(), Error> {
    let status = Command::new("chown").arg("-R").arg(user).arg(data_dir).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Error::Start {
            reason: format!("chown {user} failed with {status}"),
            log: data_dir.join("server.log"),
        }),
        Err(source) => Err(Error::Io { path: data_dir.to_owned(), source }),
    }
}
