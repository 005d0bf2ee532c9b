// guest-test: variants=static
// A pseudo-terminal: modes, window size, the signals of its keys, foreground groups, stops of the background, hang-up.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static int master, out;
static volatile int seen;

static void handler(int signal) {
    char text[2] = {signal == SIGINT     ? 'I'
                    : signal == SIGQUIT  ? 'Q'
                    : signal == SIGWINCH ? 'W'
                    : signal == SIGHUP   ? 'H'
                    : signal == SIGCONT  ? 'C'
                                         : '?',
                    '\n'};
    write(out, text, 2);
    seen++;
}

static void catch (int signal) {
    sigaction(signal, &(struct sigaction){.sa_handler = handler}, NULL);
}

static void until(int count) {
    for (int i = 0; i < 20000 && seen < count; i++) usleep(1000);
}

// The session's leader, on the terminal.
static int leader(const char *name) {
    char line[100] = {0};
    setsid();
    int tty = open(name, O_RDWR);
    printf("terminal %d, session %d, foreground %d\n", isatty(tty), tcgetsid(tty) == getpid(), tcgetpgrp(tty) == getpgrp());
    catch (SIGINT), catch (SIGQUIT), catch (SIGWINCH), catch (SIGHUP);
    write(out, "ready\n", 6);
    until(3);
    int got = read(tty, line, sizeof line);
    printf("line of %d: %s", got, line);
    int status;
    pid_t child = fork();
    if (child == 0) {  // in the background: reading stops it
        setpgid(0, 0);
        usleep(50000);
        got = read(tty, line, sizeof line);
        _exit(got == 3 ? 0 : 1);
    }
    waitpid(child, &status, WUNTRACED);
    printf("background read: stopped %d by %s\n", WIFSTOPPED(status),
           WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTIN ? "TTIN" : "?");
    signal(SIGTTOU, SIG_IGN);
    printf("give it the terminal %d\n", tcsetpgrp(tty, child));
    kill(child, SIGCONT);
    write(out, "input\n", 6);
    waitpid(child, &status, 0);
    printf("it read %d\n", WEXITSTATUS(status));
    printf("take it back %d\n", tcsetpgrp(tty, getpgrp()));
    child = fork();
    if (child == 0) {
        setpgid(0, 0);
        signal(SIGTTOU, SIG_DFL);
        struct termios modes;
        tcgetattr(tty, &modes);
        tcsetattr(tty, TCSANOW, &modes);
        _exit(3);
    }
    waitpid(child, &status, WUNTRACED);
    printf("background tcsetattr: stopped %d by %s\n", WIFSTOPPED(status),
           WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTOU ? "TTOU" : "?");
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    fflush(stdout);
    write(out, "hang up\n", 8);
    until(4);
    got = read(tty, line, sizeof line);
    return got == 0 ? 7 : 9;
}

static void expect(int from, const char *text) {
    char got[100] = {0};
    size_t n = 0;
    while (n < strlen(text) && n < sizeof got - 1) {
        ssize_t part = read(from, got + n, 1);
        if (part <= 0) break;
        n += part;
    }
    printf("told: %s", got);
}

static void modes(int tty) {
    struct termios now, raw;
    struct winsize size = {.ws_row = 30, .ws_col = 100};
    tcgetattr(tty, &now);
    printf("speed %d erase %d interrupt %d canonical %d\n", cfgetospeed(&now) == B38400, now.c_cc[VERASE], now.c_cc[VINTR],
           (now.c_lflag & ICANON) != 0);
    raw = now;
    cfmakeraw(&raw);
    raw.c_cc[VMIN] = 0, raw.c_cc[VTIME] = 1;
    tcsetattr(tty, TCSAFLUSH, &raw);
    char byte;
    printf("raw read times out: %zd\n", read(tty, &byte, 1));
    tcsetattr(tty, TCSANOW, &now);
    ioctl(tty, TIOCSWINSZ, &size);
    memset(&size, 0, sizeof size);
    ioctl(master, TIOCGWINSZ, &size);
    printf("window %d %d\n", size.ws_row, size.ws_col);
    int queued;
    write(master, "abc\n", 4);
    usleep(20000);
    ioctl(tty, FIONREAD, &queued);
    printf("queued %d\n", queued);
    tcflush(tty, TCIFLUSH);
    ioctl(tty, FIONREAD, &queued);
    printf("flushed %d, not a terminal: %d %s\n", queued, isatty(out), strerrorname_np(errno));
}

int main(void) {
    int told[2], status;
    setvbuf(stdout, NULL, _IOLBF, 0);
    pipe(told);
    out = told[1];
    master = posix_openpt(O_RDWR | O_NOCTTY);
    printf("open %d %d %d\n", master >= 0, grantpt(master), unlockpt(master));
    char *name = strdup(ptsname(master));
    int tty = open(name, O_RDWR | O_NOCTTY);
    modes(tty);
    pid_t child = fork();
    if (child == 0) {
        close(tty), close(told[0]);
        int own = master;
        close(own);
        _exit(leader(name));
    }
    close(tty);
    expect(told[0], "ready\n");
    write(master, "\003", 1);
    expect(told[0], "I\n");
    write(master, "\034", 1);
    expect(told[0], "Q\n");
    ioctl(master, TIOCSWINSZ, &(struct winsize){.ws_row = 31, .ws_col = 99});
    expect(told[0], "W\n");
    write(master, "helxx\177\177lo\n", 10);
    expect(told[0], "input\n");
    write(master, "in\n", 3);
    expect(told[0], "hang up\n");
    close(master);
    expect(told[0], "H\n");
    waitpid(child, &status, 0);
    printf("leader %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
    return 0;
}
