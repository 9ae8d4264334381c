//! Runs steps, two at a time: most of them leave a core idle, compiling their last crate or waiting for a browser.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::ctx::Ctx;
use crate::say::speaking_as;
use crate::steps::{Outcome, STEPS, Step, plan};

/// How many steps run at once.
const LANES: usize = 2;

/// What became of a step.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) result: Result<Outcome>,
    pub(crate) took: Duration,
}

impl Row {
    pub(crate) fn ok(&self) -> bool {
        !matches!(self.result, Err(_) | Ok(Outcome::Blocked(_) | Outcome::Failed(..)))
    }
}

/// Whether work goes on after a step failed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnFailure {
    Stop,
    /// Steps that do not need the failed one are run, for the whole picture.
    GoOn,
}

/// The steps `build` and `serve` run.
pub(crate) const PAGE: [&str; 2] = ["typecheck", "page"];

/// `cargo xtask build`.
pub(crate) fn build(ctx: &Ctx) -> Result<bool> {
    let started = Instant::now();
    let rows = run(ctx, &PAGE, OnFailure::Stop)?;
    let ok = rows.iter().all(Row::ok);
    if ok {
        println!("built {} in {}", ctx.shown(&ctx.out), seconds(started.elapsed()));
    }
    Ok(ok)
}

/// Runs the named steps and everything they need; what became of them, in the order of the table.
pub(crate) fn run(ctx: &Ctx, names: &[&str], on_failure: OnFailure) -> Result<Vec<Row>> {
    Ok(Board::new(plan(STEPS, names)?, on_failure).run(ctx))
}

/// The steps of a run and how far each is.
struct Board<'a> {
    plan: Vec<&'a Step>,
    on_failure: OnFailure,
    places: Mutex<Vec<Place>>,
    /// A step ended.
    ended: Condvar,
}

enum Place {
    Waiting,
    Running,
    Over(Row),
}

/// What a lane does next.
enum Next<'a> {
    Run(usize, &'a Step),
    Wait,
    Leave,
}

impl<'a> Board<'a> {
    fn new(plan: Vec<&'a Step>, on_failure: OnFailure) -> Self {
        let places = Mutex::new(plan.iter().map(|_| Place::Waiting).collect());
        Self { plan, on_failure, places, ended: Condvar::new() }
    }

    fn run(self, ctx: &Ctx) -> Vec<Row> {
        std::thread::scope(|scope| {
            for _ in 0..LANES {
                scope.spawn(|| self.lane(ctx));
            }
        });
        let places = self.places.into_inner().unwrap_or_else(PoisonError::into_inner);
        places
            .into_iter()
            .filter_map(|place| if let Place::Over(row) = place { Some(row) } else { None })
            .collect()
    }

    fn lane(&self, ctx: &Ctx) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match self.next(&places) {
                Next::Leave => return,
                Next::Wait => places = self.ended.wait(places).unwrap_or_else(PoisonError::into_inner),
                Next::Run(at, step) => {
                    let failed = self.failed_need(&places, step);
                    self.set(&mut places, at, Place::Running);
                    drop(places);
                    let row = self.step(ctx, at, step, failed);
                    places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
                    self.set(&mut places, at, Place::Over(row));
                    self.ended.notify_all();
                }
            }
        }
    }

    /// The first step that waits for nothing.
    fn next(&self, places: &[Place]) -> Next<'a> {
        let stopped = self.on_failure == OnFailure::Stop
            && places.iter().any(|place| matches!(place, Place::Over(row) if !row.ok()));
        let steps = || self.plan.iter().copied().zip(places).enumerate();
        let over = |need: &str| {
            // What is not in the plan is not waited for.
            steps().all(|(_, (step, place))| step.name != need || matches!(place, Place::Over(_)))
        };
        let held = |wanted: &Step| {
            steps().any(|(_, (step, place))| {
                matches!(place, Place::Running) && step.holds.iter().any(|held| wanted.holds.contains(held))
            })
        };
        let mut waiting = steps().filter(|(_, (_, place))| matches!(place, Place::Waiting)).peekable();
        if stopped || waiting.peek().is_none() {
            return Next::Leave;
        }
        match waiting.find(|(_, (step, _))| step.after().all(over) && !held(step)) {
            Some((at, (step, _))) => Next::Run(at, step),
            None => Next::Wait,
        }
    }

    fn failed_need(&self, places: &[Place], step: &Step) -> Option<&'static str> {
        let failed = |need: &&str| {
            places.iter().any(|place| matches!(place, Place::Over(row) if row.name == *need && !row.ok()))
        };
        step.after().find(failed)
    }

    fn set(&self, places: &mut [Place], at: usize, to: Place) {
        if let Some(place) = places.get_mut(at) {
            *place = to;
        }
    }

    fn step(&self, ctx: &Ctx, at: usize, step: &Step, failed: Option<&'static str>) -> Row {
        println!("[{:>2}/{}] {}: {}", at + 1, self.plan.len(), step.name, step.about);
        let started = Instant::now();
        let result = match failed {
            Some(need) => Ok(Outcome::Blocked(need)),
            None => speaking_as(step.name, || (step.run)(ctx)),
        };
        let row = Row { name: step.name, result, took: started.elapsed() };
        println!("[{:>2}/{}] {}: {}", at + 1, self.plan.len(), step.name, verdict(&row));
        row
    }
}

fn verdict(row: &Row) -> String {
    let took = seconds(row.took);
    match &row.result {
        Ok(Outcome::Done) => format!("done in {took}"),
        Ok(Outcome::Unchanged) => format!("unchanged ({took})"),
        Ok(Outcome::Before(tally)) => format!("unchanged since {tally} ({took})"),
        Ok(Outcome::Blocked(need)) => format!("not run: it needs `{need}`"),
        Ok(Outcome::Passed(tally)) => format!("{tally} in {took}"),
        Ok(Outcome::Failed(tally, _)) => format!("FAILED: {tally} in {took}"),
        Err(error) => format!("FAILED after {took}: {error:#}"),
    }
}

/// `12.3 s`, `4 min 05 s`.
pub(crate) fn seconds(time: Duration) -> String {
    match time.as_secs() {
        0..120 => format!("{:.1} s", time.as_secs_f64()),
        long => format!("{} min {:02} s", long / 60, long % 60),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;
    use crate::args::Args;
    use crate::steps::Held;

    fn step(name: &'static str, needs: &'static [&'static str], run: fn(&Ctx) -> Result<Outcome>) -> Step {
        Step { name, about: "", needs, holds: &[], run }
    }

    fn rows(table: &[Step], on_failure: OnFailure) -> Vec<(&'static str, String)> {
        let ctx = Ctx::new(Args::parse(std::iter::once("test".to_owned())).unwrap()).unwrap();
        let rows = Board::new(table.iter().collect(), on_failure).run(&ctx);
        let word = |row: &Row| verdict(row).split([' ', ':']).next().unwrap_or_default().to_owned();
        rows.iter().map(|row| (row.name, word(row))).collect()
    }

    fn done(_: &Ctx) -> Result<Outcome> {
        Ok(Outcome::Done)
    }

    fn broken(_: &Ctx) -> Result<Outcome> {
        anyhow::bail!("no")
    }

    #[test]
    fn what_needs_a_failed_step_is_not_run_and_others_are() {
        let table =
            [step("a", &[], broken), step("b", &["a"], done), step("c", &["b"], done), step("d", &[], done)];
        let expected = [("a", "FAILED"), ("b", "not"), ("c", "not"), ("d", "done")];
        assert_eq!(rows(&table, OnFailure::GoOn), expected.map(|(name, word)| (name, word.to_owned())));
    }

    #[test]
    fn after_a_failure_nothing_is_begun_if_so_wished() {
        let table = [step("a", &[], broken), step("b", &["a"], done), step("c", &["b"], done)];
        assert_eq!(rows(&table, OnFailure::Stop), [("a", "FAILED".to_owned())]);
    }

    #[test]
    fn what_goes_into_a_step_comes_before_it_where_it_is_done() {
        fn slow(_: &Ctx) -> Result<Outcome> {
            anyhow::bail!("the page would be put together without it")
        }
        assert_eq!(rows(&[step("page", &[], done)], OnFailure::GoOn), [("page", "done".to_owned())]);
        let both = rows(&[step("wasm-opt", &[], slow), step("page", &[], done)], OnFailure::GoOn);
        assert_eq!(both, [("wasm-opt", "FAILED".to_owned()), ("page", "not".to_owned())]);
    }

    #[test]
    fn two_run_at_once() {
        static BOTH: Barrier = Barrier::new(2);
        fn meet(_: &Ctx) -> Result<Outcome> {
            BOTH.wait();
            Ok(Outcome::Done)
        }
        assert_eq!(rows(&[step("a", &[], meet), step("b", &[], meet)], OnFailure::GoOn).len(), 2);
    }

    #[test]
    fn what_hold_the_same_run_one_after_the_other() {
        static BUSY: Mutex<()> = Mutex::new(());
        fn only(_: &Ctx) -> Result<Outcome> {
            let Ok(_busy) = BUSY.try_lock() else { anyhow::bail!("two at once") };
            std::thread::yield_now();
            Ok(Outcome::Done)
        }
        let names = ["a", "b", "c", "d", "e", "f"];
        let table = names.map(|name| Step { holds: &[Held::Dev], ..step(name, &[], only) });
        assert!(rows(&table, OnFailure::GoOn).iter().all(|(_, word)| word == "done"));
    }

    #[test]
    fn durations_read_well() {
        assert_eq!(seconds(Duration::from_millis(1234)), "1.2 s");
        assert_eq!(seconds(Duration::from_secs(245)), "4 min 05 s");
    }
}
