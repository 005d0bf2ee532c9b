// -strace: prints calls by the letters of syscalls.def. A line is built in a buffer and written at once, so that threads do not mix.
#include "guest-os/linux-user/strace.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/options.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>

static void put_string(struct text *text, uint64_t at) {
    char bytes[64];
    long length = mem_string_in(bytes, at, sizeof bytes);
    if (length == -EFAULT || !at) {
        text_add(text, at ? "%#llx" : "NULL", (unsigned long long)at);
        return;
    }
    bool cut = length < 0;
    text_add(text, "\"");
    for (long i = 0; i < (cut ? (long)sizeof bytes : length); i++) {
        unsigned char c = (unsigned char)bytes[i];
        text_add(text, c == '\n' ? "\\n" : c == '"' || c == '\\' ? "\\%c" : c < 32 || c > 126 ? "\\x%02x" : "%c", c);
    }
    text_add(text, cut ? "\"…" : "\"");
}

static void put_argument(struct text *text, char letter, uint64_t value) {
    switch (letter) {
    case 'i':
    case 'f': text_add(text, "%d", (int)value); break;
    case 'd': text_add(text, (int)value == AT_FDCWD ? "AT_FDCWD" : "%d", (int)value); break;
    case 'u': text_add(text, "%llu", (unsigned long long)value); break;
    case 'o': text_add(text, "0%llo", (unsigned long long)value); break;
    case 's':
    case 'l':
    case 't': put_string(text, value); break;
    case 'p': text_add(text, value ? "%#llx" : "NULL", (unsigned long long)value); break;
    default: text_add(text, "%#llx", (unsigned long long)value);
    }
}

void strace_call(struct text *text, struct task *task, const struct syscall_row *row) {
    if (row->name) text_add(text, "%s(", row->name);
    else text_add(text, "syscall_%llu(", (unsigned long long)task->syscall_number);
    const char *letters = row->arguments ? row->arguments : "xxxxxx";
    for (unsigned i = 0; letters[i]; i++) {
        if (i) text_add(text, ", ");
        put_argument(text, letters[i], task->syscall_argument[i]);
    }
    text_add(text, ")");
}

static void put_result(struct text *text, long result) {
    const char *error = result < 0 && result > -4096 ? strerrorname_np((int)-result) : NULL;
    if (error) text_add(text, " = -1 %s (%s)", error, strerrordesc_np((int)-result));
    else if (result > 0xfffff || result < 0) text_add(text, " = %#lx", (unsigned long)result);
    else text_add(text, " = %ld", result);
}

static void write_line(struct text *text) {
    long fd = 2;
    if (options.log_file) fd = host_call(openat, AT_FDCWD, options.log_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0) fd = 2;
    host_call(write, fd, text->at, text->length);
    if (fd != 2) host_call(close, fd);
}

static bool may_not_return(const struct syscall_row *row) {
    return row->name && (!strncmp(row->name, "exit", 4) || !strncmp(row->name, "execve", 6) || !strcmp(row->name, "rt_sigreturn"));
}

static void line(struct task *task, const struct syscall_row *row, const long *result) {
    char buffer[1024];
    struct text text = TEXT_ON(buffer);
    text_add(&text, "%d ", task->tid);
    strace_call(&text, task, row);
    if (result) put_result(&text, *result);
    text.size = sizeof buffer;
    text_add(&text, "\n");
    if (text.cut) text.at[text.length - 1] = '\n';
    write_line(&text);
}

void strace_before(struct task *task, const struct syscall_row *row) {
    if (may_not_return(row)) line(task, row, NULL);
}

void strace_after(struct task *task, const struct syscall_row *row, long result) {
    if (!may_not_return(row) || result < 0) line(task, row, &result);
}
