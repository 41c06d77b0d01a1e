//! Fuzzes a reader without a nightly compiler: `cargo run --example fuzz -- READER SECONDS [SEED]` mutates the fixtures,
//! and the files of `PORTCULLIS_CORPUS` if it is set. An input that panics, or takes longer than it may, is written to a
//! file, and the run fails.

#[path = "../benches/generate/random.rs"]
mod random;
mod readers;

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use random::Random;
use readers::{READERS, Reader};

/// Larger inputs are cut.
const MAX_LENGTH: usize = 1 << 16;
/// Files taken from a corpus.
const MAX_SEEDS: usize = 4000;
/// How long one input may take.
const MAX_TIME: Duration = Duration::from_secs(5);
/// The stack of a worker of the real program.
const STACK: usize = 2 << 20;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let reader = READERS
        .iter()
        .find(|reader| Some(reader.0) == arguments.first().map(String::as_str));
    let seconds = arguments.get(1).and_then(|seconds| seconds.parse().ok());
    let seed = arguments.get(2).map_or(Some(1), |seed| seed.parse().ok());
    let (Some(reader), Some(seconds), Some(seed)) = (reader, seconds, seed) else {
        let names: Vec<_> = READERS.iter().map(|reader| reader.0).collect();
        say(&format!("usage: fuzz ({}) SECONDS [SEED]", names.join(" | ")));
        return ExitCode::from(2);
    };
    let run = std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(move || fuzz(reader, Duration::from_secs(seconds), seed));
    match run.map(std::thread::JoinHandle::join) {
        Ok(Ok(Ok(line))) => {
            say(&line);
            ExitCode::SUCCESS
        }
        Ok(Ok(Err(line))) => {
            say(&line);
            ExitCode::FAILURE
        }
        _ => ExitCode::FAILURE,
    }
}

fn say(line: &str) {
    let _closed = writeln!(std::io::stderr(), "{line}");
}

fn fuzz(reader: &Reader, time: Duration, seed: u64) -> Result<String, String> {
    let seeds = seeds(reader.1);
    let mut random = Random::new(seed);
    let begun = Instant::now();
    let (mut n_inputs, mut slowest) = (0_u64, Duration::ZERO);
    while begun.elapsed() < time {
        let input = mutated(&seeds, &mut random);
        let started = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| (reader.2)(&input)));
        let taken = started.elapsed();
        slowest = slowest.max(taken);
        n_inputs += 1;
        if outcome.is_err() || taken > MAX_TIME {
            let name = format!("fuzz-{}-{seed}-{n_inputs}", reader.0);
            let written = std::fs::write(&name, &input);
            let why = if outcome.is_err() { "panics" } else { "is too slow" };
            return Err(format!("{}: {why} on {name} ({taken:?}, {written:?})", reader.0));
        }
    }
    let n_seeds = seeds.len();
    Ok(format!(
        "{}: {n_inputs} inputs from {n_seeds} seeds, the slowest {slowest:?}",
        reader.0
    ))
}

/// The files with one of these endings.
fn seeds(extensions: &[&str]) -> Vec<Vec<u8>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = std::env::var_os("PORTCULLIS_CORPUS");
    let mut roots = vec![here.join("fixtures"), here.join("policies")];
    roots.extend(corpus.map(std::path::PathBuf::from));
    let mut seeds = vec![Vec::new()];
    let entries = roots
        .iter()
        .flat_map(|root| walkdir::WalkDir::new(root).sort_by_file_name());
    for entry in entries.filter_map(Result::ok) {
        let extension = entry.path().extension().and_then(|extension| extension.to_str());
        if extension.is_some_and(|found| extensions.contains(&found))
            && let Ok(bytes) = std::fs::read(entry.path())
            && bytes.len() <= MAX_LENGTH
            && seeds.len() < MAX_SEEDS
        {
            seeds.push(bytes);
        }
    }
    seeds
}

/// A seed with some changes.
fn mutated(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut input = pick(seeds, random).to_vec();
    for _ in 0..=random.below(8) {
        change(&mut input, seeds, random);
    }
    input.truncate(MAX_LENGTH);
    input
}

fn pick<'s>(seeds: &'s [Vec<u8>], random: &mut Random) -> &'s [u8] {
    seeds.get(random.index(seeds.len())).map_or(&[], Vec::as_slice)
}

fn change(input: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Random) {
    const ODD: &[&[u8]] = &[
        b"{",
        b"}",
        b"\"",
        b"\\",
        b"\n",
        b"\0",
        b"\xff",
        b"\xc3\xa9",
        b"\xef\xbb\xbf",
        b"-",
        b"!",
        b"/",
        b",",
        b":",
        b"4294967296",
        b"18446744073709551616",
        b"340282366920938463463374607431768211456",
        b"0x",
        b"::",
        b"/129",
    ];
    let at = random.index(input.len() + 1);
    match random.below(7) {
        0 => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        1 => {
            let end = (at + random.index(40)).min(input.len());
            input.drain(at..end);
        }
        2 => {
            let odd = ODD.get(random.index(ODD.len())).copied().unwrap_or(b" ");
            input.splice(at..at, odd.iter().copied());
        }
        3 => {
            // A part of itself, again and again.
            let end = (at + 1 + random.index(60)).min(input.len());
            let part = input.get(at..end).unwrap_or(&[]).repeat(1 + random.index(30));
            input.splice(at..at, part);
        }
        4 | 5 => {
            let other = pick(seeds, random);
            let from = random.index(other.len() + 1);
            let to = (from + random.index(80)).min(other.len());
            let part = other.get(from..to).unwrap_or(&[]).to_vec();
            input.splice(at..at, part);
        }
        _ if random.chance(1, 3) => input.truncate(at),
        _ => {}
    }
}
