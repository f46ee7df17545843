"""What gilspy said of each thread at each of its ticks, and what the kernel's probes say of that moment.

tests/accuracy/states --confusion prints it. A difference in a thread's seconds has two causes: gilspy took one state for
another, which this shows; or the moments of its ticks are no fair sample of time, which shows where the probes' own states at the
ticks differ from their sums.
"""

import bisect
import collections
import csv

# The words of the probes of `states` that say where a thread is now, and the codes that stand for it.
STATES = {"OUTSIDE": 0, "TAKES": 1, "WAITS": 2, "HANDS_OVER": 3, "HOLDS": 4, "DROPS": 5}
NAMES = ["outside", "taking", "waiting", "handing over", "holding", "dropping"]
ON_CPU = 8
PER_WORD = 14  # threads in a word of 64 bits, four bits each
MOST_THREADS = 4 * PER_WORD

# A word of four-bit codes for each 14 threads, printed at the first read of each of gilspy's ticks: a timer's file
# descriptor gives eight bytes when it wakes the reader.
HALF = """
tracepoint:syscalls:sys_enter_process_vm_readv /comm == "gilspy" && @woke[tid]/ {
  $i = (int64)FIRST; $a = (int64)0; $b = (int64)0;
  unroll(14) { $i = $i + 1; $a = $a * 16 + @now[$i]; }
  unroll(14) { $i = $i + 1; $b = $b * 16 + @now[$i]; }
  printf("tick %d %lu HALF %lx %lx\\n", pid, @woke[tid], $a, $b);
}
"""
PROBES = (
    """
tracepoint:syscalls:sys_exit_read /comm == "gilspy" && args->ret == 8/ { @woke[tid] = nsecs; }
"""
    + HALF.replace("FIRST", "0").replace("HALF", "0")
    + HALF.replace("FIRST", str(2 * PER_WORD)).replace("HALF", "1")
    + """
tracepoint:syscalls:sys_exit_process_vm_readv /comm == "gilspy"/ { @woke[tid] = 0; }
tracepoint:sched:sched_switch {
  if (@place[args->prev_pid]) { @now[@place[args->prev_pid]] = @now[@place[args->prev_pid]] & 7; }
  if (@place[args->next_pid]) { @now[@place[args->next_pid]] = (@now[@place[args->next_pid]] & 7) + 8; }
}
"""
)
FIRST_SEEN = 'if (@place[tid] == 0) { @places = @places + 1; @place[tid] = @places; printf("thread %d %d\\n", tid, @places); }'
FORGET = "clear(@woke); clear(@now); clear(@place); clear(@places);"


def with_states(probes, wanted):
    """The probes, that note where each thread is or do not."""
    for word, code in STATES.items():
        probes = probes.replace("NOW_" + word, f"@now[@place[tid]] = {code + ON_CPU};" if wanted else "")
    probes = probes.replace("FIRST_SEEN", FIRST_SEEN if wanted else "").replace("FORGET", FORGET if wanted else "")
    return probes + PROBES if wanted else probes


def matrix(output, intervals, pid, names):
    """({(gilspy's state, the probes' state): share}, {thread: {the probes' state: share}}) of all threads' ticks."""
    places, ticks = {}, collections.defaultdict(lambda: [0] * 4)
    for line in output.splitlines():
        words = line.split()
        if line.startswith("thread "):
            places[int(words[1])] = int(words[2]) - 1
        if line.startswith(f"tick {pid} "):
            half = 2 * int(words[3])
            ticks[int(words[2]) / 1e9][half : half + 2] = [int(word, 16) for word in words[4:6]]
    told = collections.defaultdict(list)
    for row in csv.DictReader(intervals.splitlines()):
        told[int(row["tid"])].append((float(row["start_s"]), float(row["end_s"]), row["state"]))

    both, truth = collections.Counter(), {}
    for name, tid in names.items():
        place = places.get(tid, MOST_THREADS)
        if place >= MOST_THREADS or not told[tid]:
            continue
        word, shift = place // PER_WORD, 4 * (PER_WORD - 1 - place % PER_WORD)
        starts = [interval[0] for interval in told[tid]]
        own = truth.setdefault(name, collections.Counter())
        for moment, words in ticks.items():
            at = bisect.bisect(starts, moment) - 1
            if at < 0 or moment > told[tid][at][1]:
                continue
            code = words[word] >> shift & 15
            both[told[tid][at][2], NAMES[code & 7] + (", on a CPU" if code & ON_CPU else "")] += 1
            own[NAMES[code & 7]] += 1
    return shares(both), {name: shares(own) for name, own in truth.items()}


def shares(counts):
    total = max(sum(counts.values()), 1)
    return {key: count / total for key, count in counts.items()}


def show(both, truth, table):
    told = sorted({key[0] for key in both})
    print("  % of all ticks, gilspy's state by the probes' state")
    print(f"    {'':24}" + "".join(f"{state:>25.25}" for state in told))
    for true in sorted({key[1] for key in both}):
        print(f"    {true:24}" + "".join(f"{100 * both.get((state, true), 0):25.2f}" for state in told))
    if len(truth) > 10:
        return
    print("  % of each thread's life, by the probes: at gilspy's ticks, and over all time")
    for row in table:
        at_ticks = truth.get(row["thread"], {})
        hold = 100 * at_ticks.get("holding", 0)
        wait = 100 * (at_ticks.get("waiting", 0) + at_ticks.get("handing over", 0))
        exact_hold, exact_wait = (100 * row[what] / row["life"] for what in ("exact_hold", "exact_wait"))
        print(f"    {row['thread']:24.24} hold {hold:6.2f} {exact_hold:6.2f}   wait {wait:6.2f} {exact_wait:6.2f}")
