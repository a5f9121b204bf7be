//! An authority that only the test knows, and a server's certificate from it.

use std::{fs, path::PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

/// PEM files, deleted when dropped.
pub(crate) struct Certificates(TempDir);

impl Certificates {
    pub(crate) fn new() -> Self {
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
        let certificate = server.signed_by(&key, &issuer).expect("it is signed");
        let identity = [key.serialize_pem(), certificate.pem()].concat();
        fs::write(files.path().join("server.pem"), identity).expect("it is written");
        Self(files)
    }

    /// The file with the certificate of the authority.
    pub(crate) fn authority(&self) -> String {
        self.0.path().join("ca.pem").to_str().expect("UTF-8").to_owned()
    }

    /// The file with the server's key and certificate.
    pub(crate) fn identity(&self) -> PathBuf {
        self.0.path().join("server.pem")
    }
}
