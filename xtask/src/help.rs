//! `cargo xtask help`.

use crate::steps::STEPS;

const TASKS: &str = "\
cargo xtask TASK [OPTIONS]

  serve [--open] [--port N]   set up what is missing, build, and serve the page with a local network
  build [--into DIR]          set up and build the page into dist/ (or DIR)
  test [--all] [--only STEP]  set up, then every check and test whose inputs changed since it last succeeded
                              (--all: every one); the last line is the count
  bench [--json]              wasmi, native and in wasm32, against ao-loader
  bench core [--json]         what a node answers in a second, over HTTP and in a page, against npm wao
  bench verify [--json]       verification in Chromium, against npm arbundles
  bench wasm [--json]         wasm processes in Chromium, against npm ao-loader, and what their memory costs
  bench lua [--json]          Lua, native and in wasm32, against wasmoon, fengari and Luerl
  vectors FILE…               vectors of HyperBEAM in any file of the forms of tests/fixtures/vectors/hb-*.json: what each
                              case wants and what came out
  tidy                        the rules of the house: layers, lengths, words, licences
  dist                        the page as it is published, optimised, in dist-release/

  --toolchain auto|rustup|debian   the compiler for wasm32: rustup's target, or Debian's rustc-web when rustup
                                   cannot download it (auto does this by itself)
  --loop-dispatch                  wasm32 without tail calls: half as fast, for a compiler that refuses them

Environment: CHROME and CHROMEDRIVER name the browser of the tests; CARGO_TARGET_DIR is respected.

Steps (for test --only):";

pub(crate) fn print() {
    println!("{TASKS}");
    for step in STEPS {
        println!("  {:<14}{}", step.name, step.about);
    }
}
