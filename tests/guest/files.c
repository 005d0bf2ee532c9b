// guest-test: expect=native variants=static
// Files, folders, descriptors, pipes, polling, sockets, IPC: structures that differ between ABIs, and errors.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <time.h>
#include <unistd.h>
#include <signal.h>

#define SHOW(...) printf(__VA_ARGS__), printf("\n")
static const char *err(long result) {
    return result < 0 ? strerrorname_np(errno) : "ok";
}

static void files(void) {
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0640);
    SHOW("write %zd", write(fd, "hello, world", 12));
    struct stat st;
    fstat(fd, &st);
    SHOW("fstat size %ld mode %o links %ld blocks %d blksize %ld", (long)st.st_size, st.st_mode, (long)st.st_nlink,
         st.st_blocks > 0, (long)st.st_blksize);
    struct timespec times[2] = {{1000000000, 123456789}, {1100000000, 987654321}};
    futimens(fd, times);
    stat("file", &st);
    SHOW("times %ld.%ld %ld.%ld", st.st_atim.tv_sec, st.st_atim.tv_nsec, st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    SHOW("link %s symlink %s", err(link("file", "hard")), err(symlink("file", "soft")));
    lstat("soft", &st);
    SHOW("symlink size %ld type %o", (long)st.st_size, st.st_mode & S_IFMT);
    char text[64] = {0};
    SHOW("readlink %zd %s", readlink("soft", text, 64), text);
    struct statx sx;
    statx(AT_FDCWD, "file", 0, STATX_ALL, &sx);
    SHOW("statx size %lld mode %o links %u", (long long)sx.stx_size, sx.stx_mode, sx.stx_nlink);
    SHOW("mkdir %s again %s", err(mkdir("folder", 0755)), err(mkdir("folder", 0755)));
    close(open("folder/a", O_CREAT | O_WRONLY, 0600)), close(open("folder/b", O_CREAT | O_WRONLY, 0600));
    DIR *dir = opendir("folder");
    int entries = 0;
    for (struct dirent *entry; (entry = readdir(dir));) entries += entry->d_name[0] + entry->d_type;
    closedir(dir);
    SHOW("entries %d", entries);
    SHOW("rmdir %s rename %s", err(rmdir("folder")), err(rename("folder/a", "folder/c")));
    SHOW("open none %s, O_DIRECTORY on file %s, O_NOFOLLOW on link %s", err(open("none", O_RDONLY)), err(open("file", O_DIRECTORY)),
         err(open("soft", O_NOFOLLOW)));
    char part[8] = {0};
    SHOW("pread %zd %s", pread(fd, part, 5, 7), part);
    struct iovec vector[2] = {{text, 3}, {part, 4}};
    lseek(fd, 0, SEEK_SET);
    SHOW("readv %zd %.3s %.4s", readv(fd, vector, 2), text, part);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 5};
    SHOW("lock %s", err(fcntl(fd, F_SETLK, &lock)));
    if (!fork()) {
        struct flock test = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 5};
        fcntl(fd, F_GETLK, &test);
        _exit(test.l_type == F_WRLCK && test.l_pid == getppid());
    }
    int status;
    wait(&status);
    SHOW("lock seen %d", WEXITSTATUS(status));
    SHOW("flags %x", fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK));
    SHOW("truncate %s, size %ld", err(ftruncate(fd, 5)), (long)lseek(fd, 0, SEEK_END));
    int copy = open("copy", O_RDWR | O_CREAT | O_TRUNC, 0600);
    off_t from = 0;
    SHOW("sendfile %zd", sendfile(copy, fd, &from, 100));
    SHOW("memfd %d", memfd_create("name", 0) > 0);
    SHOW("access %s %s", err(access("file", R_OK)), err(access("none", R_OK)));
    struct statfs fs;
    SHOW("statfs %s %d", err(statfs(".", &fs)), fs.f_bsize > 0 && fs.f_namelen == 255);
    int watch = inotify_init1(0);
    inotify_add_watch(watch, ".", IN_CREATE);
    close(open("watched", O_CREAT | O_WRONLY, 0600));
    char events[512];
    ssize_t got = read(watch, events, sizeof events);
    SHOW("inotify %d %s", got > 0, ((struct inotify_event *)events)->name);
}

static void waiting(void) {
    int ends[2], ready[2];
    pipe2(ends, O_NONBLOCK);
    char byte;
    SHOW("empty pipe %s", err(read(ends[0], &byte, 1)));
    int set = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0x1122334455667788}, got[4];
    SHOW("epoll add %s", err(epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event)));
    event.data.u64 = 42, event.events = EPOLLOUT;
    epoll_ctl(set, EPOLL_CTL_ADD, ends[1], &event);
    write(ends[1], "x", 1);
    int count = epoll_wait(set, got, 4, 1000);
    unsigned long sum = 0;
    for (int i = 0; i < count; i++) sum += got[i].data.u64 * got[i].events;
    SHOW("epoll %d sum %lx", count, sum);
    struct pollfd polled[2] = {{ends[0], POLLIN}, {ends[1], POLLOUT}};
    SHOW("poll %d %x %x", poll(polled, 2, 0), polled[0].revents, polled[1].revents);
    fd_set readable;
    FD_ZERO(&readable);
    FD_SET(ends[0], &readable);
    struct timeval soon = {0, 1000};
    SHOW("select %d", select(ends[0] + 1, &readable, NULL, NULL, &soon));
    int event_fd = eventfd(3, 0);
    unsigned long value;
    SHOW("eventfd %zd %lu", read(event_fd, &value, 8), value);
    int timer = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec when = {.it_value = {0, 1000000}};
    timerfd_settime(timer, 0, &when, NULL);
    SHOW("timerfd %zd %lu", read(timer, &value, 8), value);
    sigset_t mask;
    sigemptyset(&mask), sigaddset(&mask, SIGUSR1), sigprocmask(SIG_BLOCK, &mask, NULL);
    int signals = signalfd(-1, &mask, 0);
    raise(SIGUSR1);
    struct signalfd_siginfo info;
    SHOW("signalfd %zd %d", read(signals, &info, sizeof info), info.ssi_signo);
    struct timespec past = {0}, now, later;
    SHOW("clock_nanosleep %d", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &past, NULL));
    clock_gettime(CLOCK_MONOTONIC, &now), clock_gettime(CLOCK_MONOTONIC, &later);
    SHOW("clock goes on %d, bad clock %s", later.tv_sec > now.tv_sec || later.tv_nsec >= now.tv_nsec,
         err(clock_gettime(999, &now)));
}

static void sockets(void) {
    int pair[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    int fd = open("file", O_RDONLY);
    char control[CMSG_SPACE(sizeof(int))] = {0}, data[8] = "data";
    struct iovec vector = {data, 4};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    *header = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    SHOW("sendmsg %zd", sendmsg(pair[0], &message, 0));
    memset(control, 0, sizeof control);
    SHOW("recvmsg %zd", recvmsg(pair[1], &message, 0));
    int received;
    memcpy(&received, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof received);
    SHOW("passed descriptor reads %zd", read(received, data, 5));
    int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    SHOW("bind %s listen %s", err(bind(server, (void *)&address, size)), err(listen(server, 1)));
    getsockname(server, (void *)&address, &size);
    SHOW("connect %s", err(connect(client, (void *)&address, size)));
    int accepted = accept(server, NULL, NULL);
    SHOW("send %zd recv %zd", send(client, "tcp", 3, 0), recv(accepted, data, 8, 0));
    int type;
    size = sizeof type;
    getsockopt(client, SOL_SOCKET, SO_TYPE, &type, &size);
    SHOW("type %d", type == SOCK_STREAM);
}

union semun {
    int val;
    struct semid_ds *buf;
    unsigned short *array;
};
static void ipc(void) {
    int sem = semget(IPC_PRIVATE, 2, 0600 | IPC_CREAT);
    struct semid_ds ds = {0};
    unsigned short values[2] = {3, 4}, got[2];
    SHOW("setall %s", err(semctl(sem, 0, SETALL, (union semun){.array = values})));
    SHOW("stat %s nsems %lu mode %o", err(semctl(sem, 0, IPC_STAT, (union semun){.buf = &ds})), (unsigned long)ds.sem_nsems,
         ds.sem_perm.mode & 0777);
    struct sembuf op = {0, -1, 0};
    SHOW("semop %s", err(semop(sem, &op, 1)));
    semctl(sem, 0, GETALL, (union semun){.array = got});
    SHOW("values %d %d ctime %d", got[0], got[1], ds.sem_ctime > 1000000);
    semctl(sem, 0, IPC_RMID);
    int queue = msgget(IPC_PRIVATE, 0600 | IPC_CREAT);
    struct {
        long type;
        char text[8];
    } message = {7, "message"};
    msgsnd(queue, &message, 8, 0);
    struct msqid_ds md;
    msgctl(queue, IPC_STAT, &md);
    SHOW("messages %lu", (unsigned long)md.msg_qnum);
    SHOW("msgrcv %zd %s", msgrcv(queue, &message, 8, 7, 0), message.text);
    msgctl(queue, IPC_RMID, NULL);
    int memory = shmget(IPC_PRIVATE, 8192, 0600 | IPC_CREAT);
    char *at = shmat(memory, NULL, 0);
    strcpy(at, "shared");
    struct shmid_ds sd;
    shmctl(memory, IPC_STAT, &sd);
    SHOW("shm size %lu attached %lu %s", (unsigned long)sd.shm_segsz, (unsigned long)sd.shm_nattch, at);
    SHOW("detach %s", err(shmdt(at)));
    shmctl(memory, IPC_RMID, NULL);
}

static void bad_pointers(void) {
    void *bad = (void *)0x1000, *kernel = (void *)0xffffffff80000000, *high = (void *)0x7fffffffe000;
    int fd = open("file", O_RDONLY), out = open("/dev/null", O_WRONLY);
    void *all[] = {bad, kernel, high};
    for (int i = 0; i < 3; i++) {
        SHOW("read %s open %s stat %s", err(read(fd, all[i], 4)), err(open(all[i], 0)),
             err(syscall(SYS_newfstatat, AT_FDCWD, "file", all[i], 0)));
        SHOW("uname %s pipe %s nanosleep %s", err(syscall(SYS_uname, all[i])), err(syscall(SYS_pipe2, all[i], 0)),
             err(syscall(SYS_nanosleep, all[i], NULL)));
        SHOW("sigaction %s getcwd %s execve %s", err(syscall(SYS_rt_sigaction, SIGUSR1, all[i], NULL, 8)),
             err(syscall(SYS_getcwd, all[i], 4096)), err(syscall(SYS_execve, all[i], NULL, NULL)));
    }
}

static void rest(void) {
    struct utsname name;
    uname(&name);
    SHOW("sysname %s", name.sysname);
    struct rlimit limit = {1000, 2000};
    SHOW("rlimit %s", err(setrlimit(RLIMIT_NOFILE, &limit)));
    getrlimit(RLIMIT_NOFILE, &limit);
    SHOW("limits %ld %ld", (long)limit.rlim_cur, (long)limit.rlim_max);
    struct sysinfo info;
    SHOW("sysinfo %s %d", err(sysinfo(&info)), info.totalram > 0);
    SHOW("getrandom %d", syscall(SYS_getrandom, &info, 16, 0) == 16);
    SHOW("unknown %s", err(syscall(5000)));
    SHOW("rseq-like %s", err(syscall(SYS_io_uring_setup, 1, NULL)) ? "returns" : "");
    char *page = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    page[5000] = 7;
    char *moved = mremap(page, 3 * 4096, 64 * 4096, MREMAP_MAYMOVE);
    SHOW("mremap %d value %d", moved != MAP_FAILED, moved[5000]);
    SHOW("mprotect %s hole %s", err(mprotect(moved, 4096, PROT_READ)),
         (munmap(moved + 8192, 4096), err(mprotect(moved, 4 * 4096, PROT_READ))));
    SHOW("noreplace %s", mmap(moved, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED
                             ? strerrorname_np(errno)
                             : "mapped");
    void *start = sbrk(0);
    sbrk(100000);
    memset(start, 1, 100000);
    SHOW("brk grows %d", (char *)sbrk(0) - (char *)start == 100000);
    SHOW("close_range %s", err(syscall(436, 3, ~0u, 0)));
    SHOW("alive, fd 3 is free %d", open("file", O_RDONLY) == 3);
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    const char *old[] = {"folder/a", "folder/b", "folder/c", "file", "hard", "soft", "copy", "watched"};
    for (int i = 0; i < 8; i++) unlink(old[i]);
    rmdir("folder");
    umask(022);
    files();
    waiting();
    sockets();
    ipc();
    bad_pointers();
    rest();
    return 0;
}
