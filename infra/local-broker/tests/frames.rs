//! Whatever comes over the wire: the broker reserves no more memory than the received bytes justify, does not panic,
//! and continues to serve others.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    net::{Ipv4Addr, SocketAddr},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use local_broker::Broker;
use proptest::{collection, prelude::*, sample, strategy::ValueTree, test_runner::TestRunner};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Frames in each test.
const FRAMES: usize = 3_000;
/// Longest of them.
const LONGEST: usize = 512;
/// The most that is allocated at once for a frame: an element of an array takes up to some 200 bytes, and one
/// byte may claim 127 of them; besides there are buffers of a fixed size.
const ALLOCATION_LIMIT: usize = 200 * LONGEST + 128 * 1024;
/// The longest that the broker may take to answer or to hang up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Notes the largest allocation, and refuses one that would harm this machine.
struct Noting;

static LARGEST: AtomicUsize = AtomicUsize::new(0);
/// A panic ends only a connection, so panics are counted.
static PANICS: AtomicUsize = AtomicUsize::new(0);

#[expect(
    unsafe_code,
    reason = "the only way to see what is allocated; the system's allocator does it"
)]
// SAFETY: every call is passed on unchanged.
unsafe impl GlobalAlloc for Noting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LARGEST.fetch_max(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Noting = Noting;

/// The APIs and versions that the broker reports.
async fn served(address: SocketAddr) -> Vec<(i16, i16, i16)> {
    let answer = ask(address, &[0, 18, 0, 0, 0, 0, 0, 7, 0, 0]).await.expect("it is answered");
    let number = |at: usize| i16::from_be_bytes([answer[at], answer[at + 1]]);
    // Correlation id, error code, the length of the list, and three numbers for each.
    assert_eq!(answer[..6], [0, 0, 0, 7, 0, 0]);
    let count = usize::from(answer[9]);
    (0..count)
        .map(|one| 10 + one * 6)
        .map(|at| (number(at), number(at + 2), number(at + 4)))
        .collect()
}

/// Sends a frame and reads the answer; `None` if the broker hangs up.
async fn ask(address: SocketAddr, frame: &[u8]) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await.expect("the broker accepts");
    let len = u32::try_from(frame.len()).expect("a short frame");
    stream.write_all(&[&len.to_be_bytes()[..], frame].concat()).await.ok()?;
    let len = stream.read_u32().await.ok()?;
    let mut answer = vec![0; usize::try_from(len).ok()?];
    stream.read_exact(&mut answer).await.ok()?;
    Some(answer)
}

/// Sends a frame and hangs up without waiting for an answer: some requests are answered late.
async fn throw(address: SocketAddr, frame: &[u8]) {
    let mut stream = TcpStream::connect(address).await.expect("the broker accepts");
    let len = u32::try_from(frame.len()).expect("a short frame");
    stream.write_all(&[&len.to_be_bytes()[..], frame].concat()).await.expect("it is sent");
    stream.shutdown().await.expect("it is hung up");
    // The end comes when the frame was processed.
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    // A reset connection has ended, too.
    drop(read.expect("the broker hangs up"));
}

/// A body in which something may be read as a length, somewhere.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let length = prop_oneof![
        sample::select(vec![
            &[0x7f, 0xff, 0xff, 0xff][..],
            &[0xff, 0xff, 0xff, 0xff, 0x0f],
            &[0x00, 0xff, 0xff, 0xff],
            &[0xff, 0xff, 0x7f],
            &[0x7f, 0xff],
            &[0x7f],
            &[0x00, 0x00, 0x00, 0x01],
            &[0x00, 0x00, 0x00, 0x02],
            &[0x02],
            &[0x80],
        ])
        .prop_map(<[u8]>::to_vec),
        collection::vec(any::<u8>(), 1..8),
        (1..40_usize).prop_map(|len| vec![0; len]),
    ];
    collection::vec(length, 0..12).prop_map(|parts| {
        let mut body = parts.concat();
        body.truncate(LONGEST);
        body
    })
}

fn frame(served: Vec<(i16, i16, i16)>) -> impl Strategy<Value = Vec<u8>> {
    let version =
        sample::select(served).prop_flat_map(|(api, first, last)| (Just(api), first..=last));
    (version, body()).prop_map(|((api, version), body)| {
        let mut frame = [api.to_be_bytes(), version.to_be_bytes()].concat();
        // Correlation id and an absent client id; what is tagged in newer headers is in the body.
        frame.extend([0, 0, 0, 1, 0xff, 0xff]);
        frame.extend(body);
        frame
    })
}

async fn start() -> (Broker, tempfile::TempDir) {
    let dir = tempfile::tempdir().expect("a folder");
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let broker = Broker::start(dir.path(), any_port).await.expect("the broker starts");
    (broker, dir)
}

#[tokio::test]
async fn no_frame_kills_the_broker_or_makes_it_allocate_too_much() {
    let (broker, _dir) = start().await;
    let served = served(broker.address()).await;
    assert!(served.len() > 20, "{served:?}");
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        hook(panic);
    }));
    let mut runner = TestRunner::deterministic();
    let frames = frame(served);
    for _ in 0..FRAMES {
        let frame = frames.new_tree(&mut runner).expect("a frame").current();
        LARGEST.store(0, Ordering::Relaxed);
        throw(broker.address(), &frame).await;
        let largest = LARGEST.load(Ordering::Relaxed);
        assert!(largest <= ALLOCATION_LIMIT, "{largest} bytes for {frame:02x?}");
        assert_eq!(PANICS.load(Ordering::Relaxed), 0, "{frame:02x?}");
    }
    let version = ask(broker.address(), &[0, 18, 0, 0, 0, 0, 0, 7, 0, 0]).await;
    assert!(version.is_some(), "the broker still answers");
}

#[tokio::test]
async fn a_length_alone_takes_no_memory_and_one_out_of_bounds_ends_the_connection() {
    let (broker, _dir) = start().await;
    for len in [0x7fff_ffff, 0xffff_ffff, 0x8000_0000, 17 << 20, 0, 7_u32] {
        let mut stream = TcpStream::connect(broker.address()).await.expect("it accepts");
        stream.write_all(&len.to_be_bytes()).await.expect("it is sent");
        let read = tokio::time::timeout(PATIENCE, stream.read_u8()).await;
        assert!(read.expect("the broker hangs up").is_err(), "{len}");
    }
    // As long as only batches of records may be.
    let mut stream = TcpStream::connect(broker.address()).await.expect("it accepts");
    let start = [&(8_u32 << 20).to_be_bytes()[..], &[0, 3, 0, 1, 0, 0, 0, 1]].concat();
    stream.write_all(&start).await.expect("it is sent");
    let read = tokio::time::timeout(PATIENCE, stream.read_u8()).await;
    assert!(read.expect("the broker hangs up").is_err(), "a long request that is no batch");
}
