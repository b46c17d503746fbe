//! What hashing and diffing cost, as ratios that are taken in one run: `cargo bench -p cutover-core --bench hash`.
//!
//! Contenders take turns, round by round, so that a machine that slows down slows them all; the fastest round of each
//! is compared, since what else runs on the machine only ever adds to a round. Hashing is put beside SHA-256 of the
//! same bytes, which is the least that any hash can cost, and beside the crate `serde_json_canonicalizer` with SHA-256.
//! Diffing is told in events a second (an event is one line of each file) and in bytes of memory an event, as counted
//! by the allocator.
#![allow(clippy::unwrap_used, missing_docs)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use cutover_core::hash::command::hash_documents;
use cutover_core::hash::diff::diff_named;
use cutover_core::hash::vector::{Entry, HashVector};
use cutover_core::hash::{Canonicalizer, PayloadHash};
use cutover_core::ids::Seq;
use sha2::{Digest, Sha256};

const ROUNDS: usize = 41;

/// Counts what is held, and the most that ever was.
struct Counting;

static HELD_BYTES: AtomicUsize = AtomicUsize::new(0);
static PEAK_BYTES: AtomicUsize = AtomicUsize::new(0);

// An allocator cannot be counted without implementing its unsafe trait; every call is handed on as it came.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD_BYTES.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK_BYTES.fetch_max(held, Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD_BYTES.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    bench_hashing();
    bench_command();
    bench_diffing();
}

/// Does its work on a document.
type Contender<'a> = &'a mut dyn FnMut(&[u8]);

fn bench_hashing() {
    println!("hashing, each column as a multiple of the time that SHA-256 of the same bytes takes:");
    println!(
        "  {:<28} {:>10} {:>10} {:>10} {:>10} {:>24}",
        "documents", "bytes each", "SHA-256", "cutover", "canonical", "serde_json_canonicalizer"
    );
    for (name, documents) in corpora() {
        let mut canonicalizer = Canonicalizer::new();
        let mut out = Vec::new();
        let mut contenders: [Contender<'_>; 4] = [
            &mut |document| {
                let _ = black_box(Sha256::digest(document));
            },
            &mut |document| {
                let _ = black_box(canonicalizer.payload_hash(document));
            },
            &mut |document| drop(black_box(Canonicalizer::canonicalize(&mut Canonicalizer::new(), document, &mut out))),
            &mut |document| {
                let _ = black_box(their_hash(document));
            },
        ];
        let best = take_turns(&documents, &mut contenders);
        let bytes = documents.iter().map(Vec::len).sum::<usize>() / documents.len();
        let ratio = |index: usize| best[index] / best[0];
        println!(
            "  {name:<28} {bytes:>10} {:>10.2} {:>10.2} {:>10.2} {:>24.2}   cutover is {:.1} times as fast",
            1.0,
            ratio(1),
            ratio(2),
            ratio(3),
            best[3] / best[1],
        );
    }
    println!(
        "  (canonical: canonicalizing alone, in new buffers each time; SHA-256 does {:.0} MB/s here)",
        raw_speed()
    );
}

/// `cutover hash` on JSON Lines, without the reading of a file.
fn bench_command() {
    let (name, documents) = corpora().swap_remove(0);
    let (lines, mut out) = (documents.join(&b'\n'), Vec::new());
    let mut contenders: [Contender<'_>; 2] = [
        &mut |_| {
            documents.iter().for_each(|document| {
                black_box(Sha256::digest(document));
            })
        },
        &mut |mut lines| {
            out.clear();
            hash_documents(&mut lines, false, &mut out).unwrap();
        },
    ];
    let best = take_turns(&[lines], &mut contenders);
    println!("  `cutover hash`, {name}: {:.2} of the speed of SHA-256", best[0] / best[1]);
}

/// The fewest seconds of each contender over all documents.
fn take_turns<const N: usize>(documents: &[Vec<u8>], contenders: &mut [Contender<'_>; N]) -> [f64; N] {
    let mut best = [f64::INFINITY; N];
    for _ in 0..ROUNDS {
        for (contender, seconds) in contenders.iter_mut().zip(&mut best) {
            let start = Instant::now();
            documents.iter().for_each(|document| contender(document));
            *seconds = start.elapsed().as_secs_f64().min(*seconds);
        }
    }
    best
}

fn raw_speed() -> f64 {
    let bytes = vec![7u8; 1 << 20];
    let mut contender = |bytes: &[u8]| {
        let _ = black_box(Sha256::digest(bytes));
    };
    1.048_576 / take_turns(&[bytes], &mut [&mut contender])[0]
}

fn their_hash(document: &[u8]) -> PayloadHash {
    let value: serde_json::Value = serde_json::from_slice(document).unwrap();
    PayloadHash::of_canonical(&serde_json_canonicalizer::to_vec(&value).unwrap())
}

fn corpora() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let event = |n: u64| {
        format!(
            "{{\"type\":\"item.delta\",\"seq\":{n},\"run_id\":\"run-{:08x}\",\"delta\":{{\"text\":\"token number {n} of the answer\",\
             \"index\":{},\"logprob\":-{}.{:03}}},\"at\":\"2025-01-01T00:00:{:02}Z\",\"tags\":[\"a\",\"b\"],\"final\":false}}",
            n.wrapping_mul(2_654_435_761) as u32,
            n % 7,
            n % 3,
            n % 997,
            n % 60,
        )
    };
    let events: Vec<Vec<u8>> = (0..1000).map(|n| event(n).into_bytes()).collect();
    let canonical: Vec<Vec<u8>> = events.iter().map(|document| canonical(document)).collect();
    let list = format!("[{}]", (0..300).map(event).collect::<Vec<_>>().join(","));
    let pretty = serde_json::to_vec_pretty(&serde_json::from_str::<serde_json::Value>(&list).unwrap()).unwrap();
    let text = "A line of an answer, as it comes: plain for the most part, naïve now and then.\\n".repeat(800);
    let numbers: Vec<String> = (0..5000u64).map(|n| format!("{:.17}", (n as f64 + 0.5).sqrt())).collect();
    let members: Vec<String> =
        (0..5000u64).map(|n| format!("\"{:x}\":{n}", n.wrapping_mul(0x9E37_79B9_7F4A_7C15))).collect();
    vec![
        ("events as a lane sends them", events),
        ("events, canonical already", canonical),
        ("a long list, on one line", vec![list.into_bytes(); 4]),
        ("a long list, indented", vec![pretty; 4]),
        ("a long text", vec![format!("{{\"text\":\"{text}\"}}").into_bytes(); 20]),
        ("17-digit numbers", vec![format!("[{}]", numbers.join(",")).into_bytes(); 2]),
        ("5,000 members in disorder", vec![format!("{{{}}}", members.join(",")).into_bytes(); 2]),
    ]
}

fn canonical(document: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    cutover_core::hash::canonicalize(document, &mut out).unwrap();
    out
}

fn bench_diffing() {
    const EVENTS: u64 = 100_000;
    println!("\ndiffing two files of {EVENTS} events each:");
    println!("  {:<44} {:>12} {:>16} {:>16}", "files", "events/s", "bytes an event", "bytes at most");
    for (name, payloads, every) in [
        ("hashes only, equal", false, 0),
        ("hashes only, one of a hundred differs", false, 100),
        ("hashes only, all differ", false, 1),
        ("with payloads, equal", true, 0),
        ("with payloads, one of a hundred differs", true, 100),
    ] {
        let a = vector_file(EVENTS, payloads, 0);
        let b = vector_file(EVENTS, payloads, every);
        let mut seconds = f64::INFINITY;
        let mut most = 0;
        for _ in 0..5 {
            let before = HELD_BYTES.load(Relaxed);
            PEAK_BYTES.store(before, Relaxed);
            let start = Instant::now();
            black_box(diff_named("A", a.as_slice(), "B", b.as_slice()).unwrap());
            seconds = start.elapsed().as_secs_f64().min(seconds);
            most = PEAK_BYTES.load(Relaxed) - before;
        }
        let per_second = EVENTS as f64 / seconds;
        println!("  {name:<44} {per_second:>12.0} {:>16.2} {most:>16}", most as f64 / EVENTS as f64);
    }
    let file = vector_file(EVENTS, false, 0);
    let before = HELD_BYTES.load(Relaxed);
    let vector = HashVector::read("bench", file.as_slice()).unwrap();
    let held = HELD_BYTES.load(Relaxed) - before;
    black_box(vector);
    println!("  a vector in memory holds {} bytes an event", held as u64 / EVENTS);
}

/// A vector file in which every `differs_every`th payload is another one (none where it is 0).
fn vector_file(events: u64, payloads: bool, differs_every: u64) -> Vec<u8> {
    let mut vector = HashVector::new();
    for n in 0..events {
        let differs = differs_every > 0 && n % differs_every == 0;
        let text = format!("{{\"delta\":\"token {n}\",\"differs\":{differs},\"kind\":\"item.delta\"}}");
        let mut entry = Entry::with_canonical(&text);
        entry.payload = entry.payload.filter(|_| payloads);
        let (stream, client) = (format!("run:{:03}:events", n % 100), format!("device-{}", n % 3));
        vector.insert(&stream.as_str().into(), &client.as_str().into(), Seq(n), entry);
    }
    let mut out = Vec::new();
    vector.write(&mut out).unwrap();
    out
}
