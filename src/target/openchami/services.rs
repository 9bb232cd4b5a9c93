//! Where a running OpenCHAMI is and where its token lies: what is given once, and read again for every plan, because
//! tokens are short-lived and a daemon is not.

use std::io;
use std::path::{Path, PathBuf};

use super::{Endpoints, token_variable};
use crate::model::Secret;

/// The addresses of the services, and the files that go with them.
#[derive(Debug, Clone)]
pub struct Services {
    /// SMD with its prefix.
    pub smd: String,
    /// BSS with its prefix.
    pub bss: String,
    /// cloud-init with its prefix.
    pub cloud_init: String,
    /// File with the access token; without one, the variable of the cluster is looked at.
    pub token_file: Option<PathBuf>,
    /// Certificates of the authority that signed the services', PEM.
    pub ca_cert: Option<PathBuf>,
}

/// A file that goes with the services cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}: {source}")]
pub struct ServicesError {
    /// The file.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl Services {
    /// What it takes to reach them for a cluster: the token from the file, or from the variable that the `ochami` client
    /// reads, `DEMO_ACCESS_TOKEN` for `demo`.
    ///
    /// # Errors
    ///
    /// [`ServicesError`].
    pub fn endpoints(&self, cluster: &str) -> Result<Endpoints, ServicesError> {
        let variable = token_variable(cluster);
        let token = match &self.token_file {
            Some(path) => Some(read(path)?.trim().to_owned()),
            None => std::env::var(&variable).ok().filter(|token| !token.is_empty()),
        };
        Ok(Endpoints {
            smd: self.smd.clone(),
            bss: self.bss.clone(),
            cloud_init: self.cloud_init.clone(),
            token: token.map(Secret::new),
            token_variable: variable,
            ca_pem: self.ca_cert.as_deref().map(read).transpose()?,
        })
    }

    /// Whether these are the addresses.
    #[must_use]
    pub fn are_at(&self, endpoints: &Endpoints) -> bool {
        [&self.smd, &self.bss, &self.cloud_init] == [&endpoints.smd, &endpoints.bss, &endpoints.cloud_init]
    }
}

fn read(path: &Path) -> Result<String, ServicesError> {
    std::fs::read_to_string(path).map_err(|source| ServicesError { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_read_anew_every_time_and_a_file_that_is_not_there_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("token");
        let services = Services {
            smd: "http://127.0.0.1:1/hsm/v2".into(),
            bss: "http://127.0.0.1:1/boot/v1".into(),
            cloud_init: "http://127.0.0.1:1/cloud-init".into(),
            token_file: Some(file.clone()),
            ca_cert: None,
        };
        let error = services.endpoints("demo").unwrap_err().to_string();
        assert!(error.contains(file.to_str().unwrap()), "{error}");
        for token in ["first", "second"] {
            std::fs::write(&file, format!("{token}\n")).unwrap();
            let endpoints = services.endpoints("demo").unwrap();
            assert_eq!(endpoints.token.as_ref().unwrap().expose(), token);
            assert_eq!(endpoints.token_variable, "DEMO_ACCESS_TOKEN");
            assert!(services.are_at(&endpoints));
            assert!(!services.are_at(&Endpoints { bss: "http://127.0.0.1:2/boot/v1".into(), ..endpoints }));
        }
    }
}
