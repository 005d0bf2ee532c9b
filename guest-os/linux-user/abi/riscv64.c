// User mode of the riscv64 guest: see struct guest_abi (abi.h). System calls follow the generic ABI: number in a7, arguments in
// a0-a5, result in a0 (man 2 syscall).
#include "guest-os/linux-user/abi.h"
#include "guest-os/linux-user/abi/riscv64_frame.h"
#include "guest-os/linux-user/abi/riscv64_regset.h"
#include "guest-os/linux-user/abi/riscv64_vector.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/code.h"
#include "translator/guest/riscv64/features.h"
#include "vdso_riscv64.inc"
#include <elf.h>
#include <errno.h>
#include <linux/audit.h>
#include <sched.h>
#include <string.h>

enum { SLOT_SP = 2, SLOT_TP = 4, SLOT_A0 = 10, SLOT_A7 = 17 };

// One bit per single-letter extension, as misa has them.
static uint64_t hwcap(guest_features features) {
    static const struct {
        guest_features feature;
        char letter;
    } letters[] = {{RV(I), 'i'}, {RV(M), 'm'}, {RV(A), 'a'}, {RV(F), 'f'}, {RV(D), 'd'}, {RV(C), 'c'}, {RV(V), 'v'}};
    uint64_t bits = 0;
    for (unsigned i = 0; i < sizeof letters / sizeof *letters; i++) {
        if (features & letters[i].feature) bits |= UINT64_C(1) << (letters[i].letter - 'a');
    }
    return bits;
}

static uint64_t hwcap2(guest_features features) {
    (void)features;
    return 0;
}

static void syscall_arguments(const uint64_t *slot, uint64_t *number, uint64_t argument[6]) {
    *number = slot[SLOT_A7];
    memcpy(argument, &slot[SLOT_A0], 6 * sizeof *argument);
}

// struct stat of the generic ABI (asm-generic/stat.h).
static size_t stat_put(struct guest_stat_buffer *to, const struct stat *from) {
    struct generic_stat {
        uint64_t dev, ino;
        uint32_t mode, nlink, uid, gid;
        uint64_t rdev, pad1;
        int64_t size;
        int32_t blksize, pad2;
        int64_t blocks, atime;
        uint64_t atime_nsec;
        int64_t mtime;
        uint64_t mtime_nsec;
        int64_t ctime;
        uint64_t ctime_nsec;
        uint32_t unused[2];
    } stat = {.dev = from->st_dev,
              .ino = from->st_ino,
              .mode = from->st_mode,
              .nlink = (uint32_t)from->st_nlink,
              .uid = from->st_uid,
              .gid = from->st_gid,
              .rdev = from->st_rdev,
              .size = from->st_size,
              .blksize = (int32_t)from->st_blksize,
              .blocks = from->st_blocks,
              .atime = from->st_atim.tv_sec,
              .atime_nsec = (uint64_t)from->st_atim.tv_nsec,
              .mtime = from->st_mtim.tv_sec,
              .mtime_nsec = (uint64_t)from->st_mtim.tv_nsec,
              .ctime = from->st_ctim.tv_sec,
              .ctime_nsec = (uint64_t)from->st_ctim.tv_nsec};
    _Static_assert(sizeof stat == 128, "the generic ABI's size");
    memcpy(to, &stat, sizeof stat);
    return sizeof stat;
}

static void cpuinfo(unsigned number, guest_features features, char *text, size_t size) {
    char isa[512];
    riscv64_isa_string(features, isa, sizeof isa);
    struct text out = {.at = text, .size = size};
    text_add(
        &out,
        "processor\t: %u\nhart\t\t: %u\nisa\t\t: %s\nmmu\t\t: sv39\nmvendorid\t: 0x0\nmarchid\t\t: 0x0\nmimpid\t\t: 0x0\nhart isa\t: %s\n\n",
        number, number, isa, isa);
}

static const uint8_t vdso[] = {VDSO_BYTES};

const struct guest_abi abi_riscv64 = {
    .machine = EM_RISCV,
    .uname_machine = "riscv64",
    .hwcap = hwcap,
    .hwcap2 = hwcap2,
    .min_signal_stack = 2048,
    .signal_stack = riscv64_signal_stack,
    .stack_slot = SLOT_SP,
    .result_slot = SLOT_A0,
    .tls_slot = SLOT_TP,
    .syscall_arguments = syscall_arguments,
    .instruction_size_of_syscall = 4,
    .stat_put = stat_put,
    .frame_size = riscv64_frame_size,
    .frame_build = riscv64_frame_build,
    .frame_restore = riscv64_frame_restore,
    .regset_get = riscv64_regset_get,
    .regset_set = riscv64_regset_set,
    .registers_begin = riscv64_registers_begin,
    .registers_settle = riscv64_registers_settle,
    .prctl = riscv64_prctl,
    .audit_arch = AUDIT_ARCH_RISCV64,
    .cpuinfo = cpuinfo,
    .vdso = vdso,
    .vdso_size = sizeof vdso,
    .vdso_sigreturn = VDSO_SIGRETURN,
};

// ---- riscv_hwprobe (kernel: Documentation/arch/riscv/hwprobe.rst)

enum {
    KEY_MVENDORID,
    KEY_MARCHID,
    KEY_MIMPID,
    KEY_BASE_BEHAVIOR,
    KEY_IMA_EXT_0,
    KEY_CPUPERF_0,
    KEY_ZICBOZ_BLOCK_SIZE,
    KEY_HIGHEST_VIRT_ADDRESS,
    KEY_TIME_CSR_FREQ,
    KEY_MISALIGNED_SCALAR_PERF,
    KEY_MISALIGNED_VECTOR_PERF,
    KEY_ZICBOM_BLOCK_SIZE = 12,
    KEY_ZICBOP_BLOCK_SIZE = 15,
    KEY_LAST = KEY_ZICBOP_BLOCK_SIZE,
    BASE_BEHAVIOR_IMA = 1,
    MISALIGNED_FAST = 3,
    MISALIGNED_VECTOR_UNSUPPORTED = 4,
    CACHE_LINE = 64,
    TIME_FREQUENCY = 10000000,
    HWPROBE_WHICH_CPUS = 1,
};

struct probe {
    int64_t key;
    uint64_t value;
};

static uint64_t extensions(void) {
    static const struct {
        guest_features needs;
        unsigned bit;
    } bits[] = {
        {RV(F) | RV(D), 0}, {RV(C), 1},          {RV(ZBA), 3},        {RV(ZBB), 4},     {RV(ZBS), 5},     {RV(ZICBOZ), 6},
        {RV(ZFHMIN), 28},   {RV(ZIHINTNTL), 29}, {RV(ZFA), 32},       {RV(ZACAS), 34},  {RV(ZICOND), 35}, {RV(ZIHINTPAUSE), 36},
        {RV(C), 43},        {RV(ZCB), 44},       {RV(C) | RV(D), 45}, {RV(ZAWRS), 48},  {RV(ZICNTR), 50}, {RV(ZIHPM), 51},
        {RV(ZICBOM), 55},   {RV(A), 56},         {RV(A), 57},         {RV(ZICBOP), 60}, {RV(V), 2},       {RV(ZVBB), 17},
        {RV(ZVBC), 18},     {RV(ZVKB), 19},      {RV(ZVKG), 20},      {RV(ZVKNED), 21}, {RV(ZVKNHA), 22}, {RV(ZVKNHB), 23},
        {RV(ZVKSED), 24},   {RV(ZVKSH), 25},     {RV(V), 37},         {RV(V), 38},      {RV(V), 39},      {RV(V), 40},
        {RV(V), 41},  // Zve32x to Zve64d
    };
    uint64_t value = 0;
    for (unsigned i = 0; i < sizeof bits / sizeof *bits; i++) {
        if (riscv64_has(code_features, bits[i].needs)) value |= UINT64_C(1) << bits[i].bit;
    }
    return value;
}

static struct probe answer(int64_t key) {
    switch (key) {
    case KEY_MVENDORID:
    case KEY_MARCHID:
    case KEY_MIMPID: return (struct probe){key, 0};
    case KEY_BASE_BEHAVIOR: return (struct probe){key, riscv64_has(code_features, RV(M) | RV(A)) ? BASE_BEHAVIOR_IMA : 0};
    case KEY_IMA_EXT_0: return (struct probe){key, extensions()};
    case KEY_CPUPERF_0:
    case KEY_MISALIGNED_SCALAR_PERF: return (struct probe){key, MISALIGNED_FAST};
    case KEY_MISALIGNED_VECTOR_PERF:
        return (struct probe){key, code_features & RV(V) ? MISALIGNED_FAST : MISALIGNED_VECTOR_UNSUPPORTED};
    case KEY_ZICBOZ_BLOCK_SIZE: return (struct probe){key, code_features & RV(ZICBOZ) ? CACHE_LINE : 0};
    case KEY_ZICBOM_BLOCK_SIZE: return (struct probe){key, code_features & RV(ZICBOM) ? CACHE_LINE : 0};
    case KEY_ZICBOP_BLOCK_SIZE: return (struct probe){key, code_features & RV(ZICBOP) ? CACHE_LINE : 0};
    case KEY_HIGHEST_VIRT_ADDRESS: return (struct probe){key, MEM_TOP - 1};
    case KEY_TIME_CSR_FREQ: return (struct probe){key, TIME_FREQUENCY};
    default: return key >= 0 && key <= KEY_LAST ? (struct probe){key, 0} : (struct probe){-1, 0};  // vendors' extensions: none
    }
}

// Bit masks are matched as "has at least these", other keys exactly.
static bool matches(const struct probe *wanted) {
    struct probe have = answer(wanted->key);
    bool mask = wanted->key == KEY_BASE_BEHAVIOR || wanted->key == KEY_IMA_EXT_0 || wanted->key == KEY_CPUPERF_0;
    if (mask) return (have.value & wanted->value) == wanted->value;
    return have.key == wanted->key && have.value == wanted->value;
}

static long probe_values(uint64_t pairs, uint64_t count) {
    for (uint64_t i = 0; i < count; i++) {
        struct probe probe;
        if (mem_copy_in(&probe, pairs + i * sizeof probe, sizeof probe) < 0) return -EFAULT;
        probe = answer(probe.key);
        if (mem_copy_out(pairs + i * sizeof probe, &probe, sizeof probe) < 0) return -EFAULT;
    }
    return 0;
}

// The processors of a guest's set that there are, all of them if the set is empty; -EFAULT where it cannot be read.
static long read_cpus(uint64_t cpus, uint64_t size, cpu_set_t *set, bool empty_is_all) {
    cpu_set_t online;
    CPU_ZERO(set);
    if (mem_copy_in(set, cpus, size < sizeof *set ? size : sizeof *set) < 0) return -EFAULT;
    if (host_call(sched_getaffinity, 0, sizeof online, &online) < 0) return -EINVAL;
    if (empty_is_all && CPU_COUNT(set) == 0) *set = online;
    else CPU_AND(set, set, &online);
    return 0;
}

// All processors are alike: either all of the set remain or none.
static long probe_cpus(uint64_t pairs, uint64_t count, uint64_t size, uint64_t cpus) {
    if (!size || !cpus) return -EINVAL;
    cpu_set_t set;
    long result = read_cpus(cpus, size, &set, true);
    if (result) return result;
    bool all = true;
    for (uint64_t i = 0; i < count; i++) {
        struct probe probe;
        if (mem_copy_in(&probe, pairs + i * sizeof probe, sizeof probe) < 0) return -EFAULT;
        struct probe have = answer(probe.key);
        if (have.key < 0 && mem_copy_out(pairs + i * sizeof probe, &have, sizeof have) < 0) return -EFAULT;
        all = all && matches(&probe);
    }
    if (!all) CPU_ZERO(&set);
    return mem_copy_out(cpus, &set, size < sizeof set ? size : sizeof set);
}

syscall_function sys_riscv_hwprobe;
long sys_riscv_hwprobe(struct task *task, const uint64_t a[6]) {
    (void)task;
    if (a[4] & ~(uint64_t)HWPROBE_WHICH_CPUS) return -EINVAL;
    if (a[4] & HWPROBE_WHICH_CPUS) return probe_cpus(a[0], a[1], a[2], a[3]);
    cpu_set_t set;
    if (a[2] || a[3]) {
        long result = read_cpus(a[3], a[2], &set, false);
        if (result || CPU_COUNT(&set) == 0) return result ? result : -EINVAL;
    }
    return probe_values(a[0], a[1]);
}
