//! An authority that only the test knows, and a server's certificate from it.

use std::{fs, path::PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

/// PEM files, deleted when dropped.
#[derive(Debug)]
pub struct Certificates {
    files: TempDir,
    /// The server's key.
    pub key: String,
    /// The server's certificate, for 127.0.0.1.
    pub certificate: String,
}

impl Certificates {
    /// Makes an authority, and a key with its certificate.
    ///
    /// # Panics
    /// The files cannot be written.
    #[must_use]
    pub fn issue() -> Self {
        let files = TempDir::new().expect("a folder");
        let mut authority = CertificateParams::default();
        // With the name of the server's certificate, that one would look signed by itself.
        authority.distinguished_name.push(DnType::CommonName, "an authority for tests");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_key = KeyPair::generate().expect("a key");
        let certificate = authority.self_signed(&authority_key).expect("it signs itself");
        fs::write(files.path().join("ca.pem"), certificate.pem()).expect("it is written");
        let issuer = Issuer::new(authority, authority_key);
        let server = CertificateParams::new(["127.0.0.1".to_owned()]).expect("a good name");
        let key = KeyPair::generate().expect("a key");
        let certificate = server.signed_by(&key, &issuer).expect("it is signed").pem();
        let key = key.serialize_pem();
        let identity = [key.as_str(), &certificate].concat();
        fs::write(files.path().join("server.pem"), identity).expect("it is written");
        Self { files, key, certificate }
    }

    /// The file with the certificate of the authority.
    ///
    /// # Panics
    /// Its path is not UTF-8.
    #[must_use]
    pub fn authority(&self) -> String {
        self.files.path().join("ca.pem").to_str().expect("UTF-8").to_owned()
    }

    /// The file with the server's key and certificate.
    #[must_use]
    pub fn identity(&self) -> PathBuf {
        self.files.path().join("server.pem")
    }
}
