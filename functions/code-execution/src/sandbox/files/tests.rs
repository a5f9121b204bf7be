//! How much memory a program can make the host use for its files.

use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::{ProptestConfig, Strategy, prop_oneof, proptest};
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;

use super::{ADVANCE, Content, Files, How, MAX_BYTES, MAX_PATH, ROOT};

/// An operation on one of a few files.
#[derive(Debug, Clone)]
enum Step {
    Resize(usize, u64),
    Write(usize, u64, usize),
    Truncate(usize),
    Remove(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let size = prop_oneof![0u64..99, 0u64..11 << 20, u64::MAX - 99..=u64::MAX];
    let length = prop_oneof![0usize..99, 0usize..2 << 20];
    prop_oneof![
        (0usize..6, size.clone()).prop_map(|(file, size)| Step::Resize(file, size)),
        (0usize..6, size, length).prop_map(|(file, at, length)| Step::Write(file, at, length)),
        (0usize..6).prop_map(Step::Truncate),
        (0usize..6).prop_map(Step::Remove),
    ]
}

/// Bytes that are held for the contents of files.
fn held(files: &Files) -> usize {
    let held = |content: &Content| match content {
        Content::File(data) => data.capacity(),
        Content::Folder(_) => 0,
    };
    files.nodes.iter().flatten().map(|node| held(&node.content)).sum()
}

fn open(files: &mut Files, name: usize, truncate: bool) -> Result<usize, ErrorCode> {
    let how = How { write: true, create: true, truncate, ..How::default() };
    files.open_at(ROOT, &name.to_string(), how)
}

fn take(files: &mut Files, step: &Step) -> Result<(), ErrorCode> {
    let (Step::Resize(name, _) | Step::Write(name, ..) | Step::Truncate(name) | Step::Remove(name)) =
        *step;
    let handle = open(files, name, matches!(step, Step::Truncate(_)))?;
    let node = files.handle(handle)?.node;
    let done = match step {
        Step::Resize(_, size) => files.resize(node, *size),
        Step::Write(_, at, length) => files.write(node, *at, &vec![1; *length]),
        Step::Truncate(_) => Ok(()),
        // It is open, and freed with its handle.
        Step::Remove(_) => files.remove(ROOT, &name.to_string(), false),
    };
    files.close(handle);
    done
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn allocated_memory_stays_within_the_quota(
        steps in proptest::collection::vec(step(), 1..40),
    ) {
        let mut files = Files::new(&BTreeMap::new(), Duration::ZERO).expect("files");
        for step in &steps {
            // Being refused is fine, too.
            let refused = take(&mut files, step).is_err();
            let lengths: usize = files.all().values().map(|data| data.len()).sum();
            assert_eq!(lengths, files.bytes, "{step:?} {refused}");
            assert!(lengths <= MAX_BYTES, "{step:?}");
            assert!(held(&files) <= lengths + lengths / ADVANCE, "{step:?}: {}", held(&files));
        }
    }
}

#[test]
fn an_endless_path_is_refused() {
    let files = Files::empty();
    assert_eq!(files.find(ROOT, &"./".repeat(MAX_PATH)), Err(ErrorCode::NameTooLong));
}

#[test]
fn nested_folders_do_not_make_endless_paths() {
    let mut files = Files::empty();
    let name = |number: usize| format!("{number:0250}");
    for number in 0..300 {
        files.create_folder(ROOT, &name(number)).expect("a folder");
        let how = How { write: true, create: true, ..How::default() };
        let file = files.open_at(ROOT, &format!("{}/file", name(number)), how).expect("a file");
        files.close(file);
        if let Some(before) = number.checked_sub(1) {
            let inside = format!("{}/{}", name(number), name(before));
            files.rename((ROOT, &name(before)), (ROOT, &inside)).expect("a new place");
        }
    }
    assert!(files.all().keys().all(|path| path.len() <= MAX_PATH));
}
