//! The listener of MSK for IAM, before the local broker: TLS, then SASL/OAUTHBEARER with a signed token. What comes
//! afterwards is the broker's.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use anyhow::{Context, bail, ensure};
use local_broker::Broker;
use tempfile::TempDir;
use testing::Certificates;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

use crate::token_check::check;

const SASL_HANDSHAKE: i16 = 17;
const API_VERSIONS: i16 = 18;
const SASL_AUTHENTICATE: i16 = 36;
/// The error code of Kafka for a failed authentication.
const AUTHENTICATION_FAILED: i16 = 58;
/// Most bytes of a message before the client is known.
const FRAME_LIMIT: usize = 64 << 10;

type Refusals = Arc<Mutex<Vec<String>>>;

/// A listener, on loopback; it stops when dropped.
pub(crate) struct MskListener {
    address: SocketAddr,
    refusals: Refusals,
    task: JoinHandle<()>,
    _broker: Broker,
    _dir: TempDir,
}

impl Drop for MskListener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The key with which tokens must be signed.
#[derive(Clone, Copy)]
struct Key {
    id: &'static str,
    secret: &'static str,
}

impl MskListener {
    pub(crate) async fn start(
        certificates: &Certificates,
        id: &'static str,
        secret: &'static str,
    ) -> Self {
        let identity = certificates.identity();
        let chain = vec![CertificateDer::from_pem_file(&identity).expect("a certificate")];
        let key = PrivateKeyDer::from_pem_file(&identity).expect("a key");
        let tls = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key);
        let acceptor = TlsAcceptor::from(Arc::new(tls.expect("they belong together")));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let dir = TempDir::new().expect("a folder");
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let broker = Broker::start_behind(dir.path(), any, address).await.expect("it starts");
        let (behind, refusals) = (broker.address(), Refusals::default());
        let refused = Arc::clone(&refusals);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, refused) = (acceptor.clone(), Arc::clone(&refused));
                tokio::spawn(async move {
                    let Ok(client) = acceptor.accept(stream).await else { return };
                    let served = serve(client, behind, Key { id, secret }).await;
                    if let Err(refusal) = served {
                        refused.lock().expect("nobody panics").push(refusal.to_string());
                    }
                });
            }
        });
        Self { address, refusals, task, _broker: broker, _dir: dir }
    }

    pub(crate) fn brokers(&self) -> String {
        self.address.to_string()
    }

    /// Why clients were refused.
    pub(crate) fn refusals(&self) -> Vec<String> {
        self.refusals.lock().expect("nobody panics").clone()
    }
}

/// Serves a client until it goes. An error is a refusal.
async fn serve<S>(mut client: S, behind: SocketAddr, key: Key) -> anyhow::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut broker = TcpStream::connect(behind).await?;
    while let Ok(request) = read_frame(&mut client).await {
        let api = i16::from_be_bytes([request[0], request[1]]);
        let correlation = &request[4..8];
        match api {
            API_VERSIONS => {
                write_frame(&mut broker, &request).await?;
                let answer = read_frame(&mut broker).await?;
                write_frame(&mut client, &with_sasl(answer)?).await?;
            }
            SASL_HANDSHAKE => {
                let (mechanism, _) = text(body(&request)?)?;
                ensure!(mechanism == "OAUTHBEARER", "the mechanism {mechanism}");
                let known: &[u8] = b"\0\0\0\0\0\x01\0\x0bOAUTHBEARER";
                write_frame(&mut client, &[correlation, known].concat()).await?;
            }
            SASL_AUTHENTICATE => {
                let said = body(&request)?.get(4..).context("bytes with a length")?;
                let checked = token(said).and_then(|token| check(&token, key.id, key.secret));
                let code = if checked.is_ok() { 0 } else { AUTHENTICATION_FAILED };
                // No message, no bytes, and a session without an end.
                let rest: &[u8] = &[0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
                let answer = [correlation, &code.to_be_bytes(), rest].concat();
                write_frame(&mut client, &answer).await?;
                checked?;
                // The client is known.
                copy_bidirectional(&mut client, &mut broker).await.map(drop).unwrap_or_default();
                return Ok(());
            }
            other => bail!("the request {other} before the client is known"),
        }
    }
    Ok(())
}

async fn read_frame(stream: &mut (impl AsyncRead + Unpin)) -> anyhow::Result<Vec<u8>> {
    let length = stream.read_u32().await? as usize;
    ensure!((8..FRAME_LIMIT).contains(&length), "a frame of {length} bytes");
    let mut frame = vec![0; length];
    stream.read_exact(&mut frame).await?;
    Ok(frame)
}

async fn write_frame(stream: &mut (impl AsyncWrite + Unpin), frame: &[u8]) -> anyhow::Result<()> {
    stream.write_all(&u32::try_from(frame.len())?.to_be_bytes()).await?;
    stream.write_all(frame).await?;
    Ok(stream.flush().await?)
}

/// What follows the header: API, version, correlation id, and the client's name.
fn body(request: &[u8]) -> anyhow::Result<&[u8]> {
    Ok(text(&request[8..])?.1)
}

/// A text with its length before it, and what follows.
fn text(bytes: &[u8]) -> anyhow::Result<(&str, &[u8])> {
    let (length, rest) = bytes.split_first_chunk().context("a length")?;
    let (text, rest) =
        rest.split_at_checked(u16::from_be_bytes(*length).into()).context("a whole text")?;
    Ok((std::str::from_utf8(text)?, rest))
}

/// The broker's answer about the versions that it knows (version 3), with those of SASL.
fn with_sasl(mut answer: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    // The correlation id, an error code, then the number of APIs and one, below 128.
    let count = answer.get_mut(6).context("a number of APIs")?;
    ensure!(*count < 100, "many APIs");
    *count += 2;
    let entry = |api: i16| [&api.to_be_bytes()[..], &[0, 0, 0, 1, 0]].concat();
    answer.splice(7..7, [entry(SASL_HANDSHAKE), entry(SASL_AUTHENTICATE)].concat());
    Ok(answer)
}

/// The token in the client's first message (RFC 7628).
fn token(said: &[u8]) -> anyhow::Result<String> {
    let text = std::str::from_utf8(said)?;
    let token = text.split('\u{1}').find_map(|part| part.strip_prefix("auth=Bearer "));
    Ok(token.context("a token")?.to_owned())
}
