//! Runs a program and says what it cost.

use std::{
    error::Error,
    fs,
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeVal,
};

/// What a run cost, in seconds.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// Of processor time, in the program and in the kernel on its behalf.
    pub cpu: f64,
    /// By the clock on the wall.
    pub wall: f64,
}

/// Runs a program; what it writes to standard output is thrown away.
pub fn cost(command: &mut Command) -> Result<Cost, Box<dyn Error>> {
    let (cpu, start) = (cpu_of_children()?, Instant::now());
    let output = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()?;
    let wall = start.elapsed().as_secs_f64();
    succeeded(command, &output)?;
    Ok(Cost {
        cpu: cpu_of_children()? - cpu,
        wall,
    })
}

/// Runs a program and gives what it writes to standard output.
pub fn output(command: &mut Command) -> Result<String, Box<dyn Error>> {
    let output = command.output()?;
    succeeded(command, &output)?;
    Ok(String::from_utf8(output.stdout)?)
}

/// Runs a program and gives the most memory that it held at a time, in bytes.
pub fn peak_memory(command: &mut Command) -> Result<u64, Box<dyn Error>> {
    Ok(cost_and_peak(command)?.1)
}

/// Both. Of the memory of a child alone the kernel tells only while it lives, so what it gains in its last milliseconds is
/// missed.
pub fn cost_and_peak(command: &mut Command) -> Result<(Cost, u64), Box<dyn Error>> {
    let (cpu, start) = (cpu_of_children()?, Instant::now());
    let mut child = command.stdout(Stdio::null()).spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait()?.is_none() {
        let kibibytes = fs::read_to_string(&status).ok().and_then(|status| {
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix("VmHWM:"))?;
            line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
        });
        peak = peak.max(kibibytes.unwrap_or(0) * 1024);
        thread::sleep(Duration::from_millis(2));
    }
    let wall = start.elapsed().as_secs_f64();
    succeeded(command, &child.wait_with_output()?)?;
    let cpu = cpu_of_children()? - cpu;
    Ok((Cost { cpu, wall }, peak))
}

/// The processor time that a process which still runs has had, in seconds.
pub fn cpu_of(process: u32) -> Result<f64, Box<dyn Error>> {
    /// How many of the kernel's ticks are a second, to programs.
    const TICKS: f64 = 100.0;
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The second of its fields is a name in brackets, which may hold anything; user and system time are the 14th and 15th.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let times: Vec<f64> = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse().ok())
        .collect();
    match times[..] {
        [user, system] => Ok((user + system) / TICKS),
        _ => Err(format!("/proc/{process}/stat is {stat:?}").into()),
    }
}

/// How many processes wanted to run lately: over one, five and fifteen minutes.
pub fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(", ")
}

/// Fails, with what the program has to say of it, when the program has failed. A conversion does not fail because of rules
/// that cannot be converted, of which its exit code tells.
fn succeeded(command: &Command, output: &Output) -> Result<(), Box<dyn Error>> {
    let converts = command
        .get_args()
        .next()
        .is_some_and(|first| first == "sigmac");
    if output.status.success() || converts && output.status.code().is_some_and(|code| code > 2) {
        return Ok(());
    }
    let message = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?} ended with {}:\n{message}", output.status).into())
}

/// The processor time of all children that have ended.
fn cpu_of_children() -> Result<f64, Box<dyn Error>> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let seconds = |time: TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}
