//! How long reading, compiling and a whole check against a policy of 200 rows take, on each shape of ruleset at
//! 1,000, 10,000 and 100,000 rules; a whole check of Terraform, and of clusters of 200 and 2,000 workloads with as many policies.
//!
//! `cargo bench -- read` measures one stage, `cargo bench -- overlap/1000$` one input. What is measured is named by
//! stage, shape and size; the inputs are those that `cargo run --example generate` writes.

#[path = "generate/cluster.rs"]
mod cluster;
#[path = "generate/mixed.rs"]
mod mixed;
#[path = "generate/policy.rs"]
mod policy;
#[path = "generate/random.rs"]
mod random;
#[path = "generate/ruleset.rs"]
mod ruleset;
#[path = "generate/terraform.rs"]
mod terraform;

use std::fs;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

use portcullis::check::{Past, Request, Watch, check};
use portcullis::dialect::{Reading, by_name};
use portcullis::model::{Compiler, HostFacts, Path};
use portcullis::packet::{DEFAULT_BUDGET, Space};
use portcullis::site::Arguments;
use portcullis::source::SourceMap;
use ruleset::{Shape, ruleset};

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
const SEED: u64 = 1;
const N_ROWS: usize = 200;
/// Root modules of a repository of 548 files.
const N_ROOTS: usize = 100;
const N_GROUPS: usize = 1_000;

fn inputs() -> impl Iterator<Item = (Shape, usize)> {
    Shape::ALL
        .into_iter()
        .flat_map(|shape| SIZES.map(|n_rules| (shape, n_rules)))
}

/// What iptables makes of a text: its rulesets.
fn read(sources: &SourceMap) -> Option<Reading> {
    let file = sources.ids().next()?;
    by_name("iptables").map(|dialect| dialect.read(&[sources.source(file)]))
}

fn sources(shape: Shape, n_rules: usize) -> SourceMap {
    let mut sources = SourceMap::new();
    sources.add_text("generated.rules", ruleset(shape, n_rules, SEED));
    sources
}

fn reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read");
    for (shape, n_rules) in inputs() {
        let sources = sources(shape, n_rules);
        group.throughput(Throughput::Elements(n_rules as u64));
        group.bench_with_input(
            BenchmarkId::new(shape.name(), n_rules),
            &sources,
            |bencher, sources| {
                bencher.iter(|| black_box(read(sources)));
            },
        );
    }
    group.finish();
}

fn compiling(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("compile");
    for (shape, n_rules) in inputs() {
        let sources = sources(shape, n_rules);
        let rulesets = read(&sources).unwrap_or_default().rulesets;
        group.throughput(Throughput::Elements(n_rules as u64));
        group.bench_with_input(
            BenchmarkId::new(shape.name(), n_rules),
            &rulesets,
            |bencher, rulesets| {
                bencher.iter(|| {
                    let mut compiler = Compiler::new(rulesets, HostFacts::default(), Space::default());
                    black_box(compiler.path(Path::Input).is_ok())
                });
            },
        );
    }
    group.finish();
}

/// Writes a ruleset and the policy into a folder and asks for what a user would ask for.
fn request(folder: &PathBuf, shape: Shape, n_rules: usize) -> std::io::Result<Request> {
    fs::create_dir_all(folder)?;
    let rules = folder.join("generated.rules");
    let ports = folder.join("generated.ports");
    fs::write(&rules, ruleset(shape, n_rules, SEED))?;
    fs::write(&ports, policy::policy(N_ROWS, SEED))?;
    let arguments = Arguments {
        policies: vec![ports.to_string_lossy().into_owned()],
        roles: vec!["generated.server".to_owned()],
        ..Arguments::default()
    };
    Ok(Request {
        paths: vec![rules],
        dialect: None,
        arguments,
        site: None,
        coverage: false,
        is_merged: true,
        skips_unknown: false,
        known: Past::default(),
        budget: DEFAULT_BUDGET,
        watch: Watch::default(),
    })
}

fn checking(criterion: &mut Criterion) {
    let folder = std::env::temp_dir().join(format!("portcullis-bench-{}", std::process::id()));
    let mut group = criterion.benchmark_group("check");
    for (shape, n_rules) in inputs() {
        let Ok(request) = request(&folder, shape, n_rules) else {
            continue;
        };
        group.throughput(Throughput::Elements(n_rules as u64));
        group.bench_with_input(
            BenchmarkId::new(shape.name(), n_rules),
            &request,
            |bencher, request| {
                bencher.iter(|| black_box(check(request).is_ok()));
            },
        );
    }
    group.finish();
    let _ = fs::remove_dir_all(folder);
}

/// A repository of 548 files and 46,000 lines with modules, and 1,000 groups in one file: nothing but what is always checked.
fn checking_terraform(criterion: &mut Criterion) {
    let folder = std::env::temp_dir().join(format!("portcullis-bench-tf-{}", std::process::id()));
    let (repository, groups) = (folder.join("repository"), folder.join("groups"));
    let written = terraform::write(&repository, N_ROOTS, SEED)
        .and_then(|()| fs::create_dir_all(&groups))
        .and_then(|()| fs::write(groups.join("main.tf"), terraform::groups(N_GROUPS, SEED)));
    if written.is_ok() {
        let mut group = criterion.benchmark_group("terraform");
        for (name, path) in [("repository", repository), ("groups", groups)] {
            let request = Request {
                paths: vec![path],
                dialect: None,
                arguments: Arguments::default(),
                site: None,
                coverage: false,
                is_merged: true,
                skips_unknown: false,
                known: Past::default(),
                budget: DEFAULT_BUDGET,
                watch: Watch::default(),
            };
            group.bench_function(name, |bencher| {
                bencher.iter(|| black_box(check(&request).is_ok()));
            });
        }
        group.finish();
    }
    let _ = fs::remove_dir_all(folder);
}

/// Manifests of so many workloads with as many policies.
type Manifests = fn(usize) -> String;

/// A whole check of a cluster of so many workloads and as many policies of an API, each workload a host with rows of its own.
fn clusters(criterion: &mut Criterion) {
    let folder = std::env::temp_dir().join(format!("portcullis-bench-cluster-{}", std::process::id()));
    let mut group = criterion.benchmark_group("cluster");
    let apis: [(&str, Manifests); 3] = [
        ("kubernetes", cluster::cluster),
        ("calico", cluster::calico_cluster),
        ("cilium", cluster::cilium_cluster),
    ];
    for (api, text) in apis {
        for n in [200, 2_000] {
            let Ok(request) = cluster_request(&folder.join(api), text(n)) else {
                continue;
            };
            group.throughput(Throughput::Elements(n as u64));
            group.bench_with_input(BenchmarkId::new(api, n), &request, |bencher, request| {
                bencher.iter(|| black_box(check(request).is_ok()));
            });
        }
    }
    group.finish();
    let _ = fs::remove_dir_all(folder);
}

fn cluster_request(folder: &PathBuf, manifests: String) -> std::io::Result<Request> {
    let ports = "policy generated { role server require server -> server : tcp/80 }\n";
    let site = "policies = [\"generated.ports\"]\n[[bind]]\nroles = [\"generated.server\"]\n\
                workloads = { namespace = \"*\" }\n";
    fs::create_dir_all(folder)?;
    fs::write(folder.join("generated.ports"), ports)?;
    fs::write(folder.join("portcullis.toml"), site)?;
    fs::write(folder.join("cluster.yaml"), manifests)?;
    Ok(Request {
        paths: vec![folder.join("cluster.yaml")],
        dialect: None,
        arguments: Arguments::default(),
        site: None,
        coverage: false,
        is_merged: true,
        skips_unknown: false,
        known: Past::default(),
        budget: DEFAULT_BUDGET,
        watch: Watch::default(),
    })
}

fn few_samples() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
}

criterion_group! { name = stages; config = few_samples(); targets = reading, compiling, checking, checking_terraform, clusters }
criterion_main!(stages);
