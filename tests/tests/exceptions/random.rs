//! Random modules full of exceptions, the same on every machine.

use std::fmt::Write;

/// Functions of a module.
const FUNCTIONS: usize = 40;

struct Noise(u64);

impl Noise {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 20) % u64::try_from(most).unwrap()).unwrap()
    }
}

/// The tags: how one is thrown, and how what it carries becomes one number.
const TAGS: [(&str, usize, &str); 5] = [
    ("$t0", 0, "(i64.const 3)"),
    ("$t1", 1, ""),
    ("$t2", 2, "(i64.sub)"),
    ("$t3", 1, "(i64.add (i64.const 1))"),
    ("$t4", 3, "(i64.reinterpret_f64) (local.set $b) (i64.extend_i32_s) (i64.add) (i64.xor (local.get $b))"),
];

const HEAD: &str = r#"(module (type $f (func (param i64) (result i64)))
  (memory (export "memory") 1)
  (tag $t0) (tag $t1 (param i64)) (tag $t2 (param i64 i64)) (tag $t3 (param i64)) (tag $t4 (param i64 i32 f64))
  (global $log (mut i64) (i64.const 0)) (global $fuel (mut i64) (i64.const 0))
  (func (export "reset") (type $f) (global.set $log (i64.const 7)) (global.set $fuel (i64.const 300)) (i64.const 0))
  (func (export "log") (type $f) (global.get $log))
"#;

/// A module as text, and how many functions it has.
pub(super) fn module(seed: u64) -> (String, usize) {
    let mut text = HEAD.to_owned();
    for function in 0..FUNCTIONS {
        let noise =
            Noise(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ u64::try_from(function).unwrap() << 32 | 1);
        let mut writer = Writer { noise, function, labels: Vec::new(), next: 0 };
        for _ in 0..20 {
            writer.noise.below(2);
        }
        let body = writer.expression(6);
        writeln!(
            text,
            "(func $f{function} (export \"f{function}\") (type $f) (local $a i64) (local $b i64) (local $n i64)
              (global.set $fuel (i64.sub (global.get $fuel) (i64.const 1)))
              (if (i64.lt_s (global.get $fuel) (i64.const 0)) (then (return (i64.const -5))))
              {body})"
        )
        .unwrap();
    }
    let all: Vec<String> = (0..FUNCTIONS).map(|function| format!("$f{function}")).collect();
    writeln!(text, "(table {FUNCTIONS} funcref) (elem (i32.const 0) func {}))", all.join(" ")).unwrap();
    (text, FUNCTIONS)
}

/// What a label is of.
#[derive(Clone, Copy, PartialEq)]
enum Label {
    Block,
    /// A `try`, from within its body.
    Body,
    /// A `try`, from within a clause.
    Clause,
}

struct Writer {
    noise: Noise,
    function: usize,
    labels: Vec<(usize, Label)>,
    next: usize,
}

impl Writer {
    fn pick<T: Copy>(&mut self, list: &[T]) -> Option<T> {
        if list.is_empty() { None } else { list.get(self.noise.below(list.len())).copied() }
    }

    /// A number of 64 bits.
    fn expression(&mut self, depth: usize) -> String {
        if depth == 0 {
            return match self.noise.below(4) {
                0 => "(local.get 0)".to_owned(),
                1 => "(local.get $a)".to_owned(),
                _ => format!("(i64.const {})", self.noise.below(7)),
            };
        }
        let depth = depth - 1;
        match self.noise.below(16) {
            0 | 1 => {
                let op = ["add", "sub", "xor", "mul"][self.noise.below(4)];
                format!("(i64.{op} {} {})", self.expression(depth), self.expression(depth))
            }
            2 => format!(
                "(block (result i64) (global.set $log (i64.add (i64.mul (global.get $log) (i64.const 31)) {})) (global.get $log))",
                self.expression(depth)
            ),
            3 => format!("(local.tee $a {})", self.expression(depth)),
            4 if self.function > 0 => {
                let callee = self.noise.below(self.function);
                format!("(call $f{callee} {})", self.expression(depth))
            }
            5 if self.function > 0 => {
                let callee = self.noise.below(self.function);
                format!("(call_indirect (type $f) {} (i32.const {callee}))", self.expression(depth))
            }
            6 => self.choose(depth),
            7 => self.block(depth),
            8 => self.repeat(depth),
            9 => self.jump(depth),
            10 => self.delegate(depth),
            11 => self.throw(depth),
            12 => self.again(depth),
            _ => self.attempt(depth),
        }
    }

    fn choose(&mut self, depth: usize) -> String {
        let condition = self.expression(depth);
        let arms = [self.expression(depth), self.expression(depth)];
        let [one, other] = arms;
        format!("(if (result i64) (i64.eqz (i64.and (i64.const 3) {condition})) (then {one}) (else {other}))")
    }

    fn labelled(
        &mut self,
        label: Label,
        depth: usize,
        within: impl FnOnce(&mut Self, usize) -> String,
    ) -> (usize, String) {
        let name = self.next;
        self.next += 1;
        self.labels.push((name, label));
        let text = within(self, depth);
        self.labels.pop();
        (name, text)
    }

    fn block(&mut self, depth: usize) -> String {
        let (name, body) = self.labelled(Label::Block, depth, Self::expression);
        format!("(block $l{name} (result i64) {body})")
    }

    fn repeat(&mut self, depth: usize) -> String {
        // Nobody jumps to a loop but itself.
        let body = self.expression(depth);
        let name = self.next;
        self.next += 1;
        format!(
            "(loop $l{name} (result i64) {body} (local.set $a) (global.set $fuel (i64.sub (global.get $fuel) (i64.const 1)))
              (br_if $l{name} (i64.gt_s (i64.rem_s (global.get $fuel) (i64.const 3)) (i64.const 0))) (local.get $a))"
        )
    }

    fn jump(&mut self, depth: usize) -> String {
        let labels = self.labels.clone();
        let value = self.expression(depth);
        match self.pick(&labels) {
            Some((name, _)) => format!("(br_if $l{name} {value} (i64.eqz (local.get $a)))"),
            None => format!("(return {value})"),
        }
    }

    fn throw(&mut self, depth: usize) -> String {
        let (tag, carried, _) = TAGS[self.noise.below(TAGS.len())];
        let value = self.expression(depth);
        let carried = match carried {
            0 => String::new(),
            1 => value,
            2 => format!("{value} {}", self.expression(depth)),
            _ => format!("{value} (i32.const -4) (f64.const 6.5)"),
        };
        match self.noise.below(3) {
            0 => format!("(throw {tag} {carried})"),
            _ => format!(
                "(if (result i64) (i64.eqz (local.get $a)) (then (throw {tag} {carried})) (else (local.get 0)))"
            ),
        }
    }

    fn again(&mut self, depth: usize) -> String {
        let clauses: Vec<usize> =
            self.labels.iter().filter(|(_, label)| *label == Label::Clause).map(|(name, _)| *name).collect();
        let value = self.expression(depth);
        match self.pick(&clauses) {
            Some(name) => format!(
                "(if (result i64) (i64.eqz (i64.and (i64.const 1) {value})) (then (rethrow $l{name})) (else (local.get $b)))"
            ),
            None => value,
        }
    }

    fn delegate(&mut self, depth: usize) -> String {
        let labels = self.labels.clone();
        let (name, body) = self.labelled(Label::Block, depth, Self::expression);
        // Past all of them is out of the function.
        let to = match self.pick(&labels) {
            Some((to, _)) if self.noise.below(4) > 0 => format!("$l{to}"),
            _ => "0".to_owned(),
        };
        format!("(try $l{name} (result i64) (do {body}) (delegate {to}))")
    }

    fn attempt(&mut self, depth: usize) -> String {
        let (name, body) = self.labelled(Label::Body, depth, Self::expression);
        let mut text = format!("(try $l{name} (result i64) (do {body})");
        for (tag, _, one) in TAGS {
            if self.noise.below(3) == 0 {
                let clause = self.clause(name, depth);
                write!(text, " (catch {tag} {one} (local.set $b) {clause})").unwrap();
            }
        }
        if self.noise.below(3) == 0 {
            let clause = self.clause(name, depth);
            write!(text, " (catch_all {clause})").unwrap();
        }
        text + ")"
    }

    fn clause(&mut self, name: usize, depth: usize) -> String {
        self.labels.push((name, Label::Clause));
        let clause = self.expression(depth);
        self.labels.pop();
        clause
    }
}
