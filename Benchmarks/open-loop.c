// Sends requests at a constant rate over kept connections and tells how long each took, from the moment it was due.
//
// Request i is due at start + i / rate, whatever happened to those before it. It goes out then, or waits for the first
// connection that comes free; the wait counts. So a server that stalls for 100 ms is charged for every request that
// was due meanwhile, not for the one per connection that a closed loop would have had out ("coordinated omission").
//
// One thread, one epoll instance; connections take turns, so that all are used. It sleeps between due times (timer
// slack 1 ns) and does not spin, since it may share its core with the server that is asked.
//
//   open-loop --port N --path /x [--host 127.0.0.1] [--rate 1000] [--seconds 2] [--connections 64] [--idle 0]
//             [--body FILE] [--wait]
//
// --wait: says "ready" once all connections are open and each active one has had an answer, starts at a line on the
// standard input, says its result, and keeps all connections until the next line: so that a reader can look at the
// server's processor time and memory before and after. The result is one line of JSON; times are in microseconds.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_BYTES = 16 * 1024, CHUNK_BYTES = 256 * 1024 };
static const int64_t second = 1000000000;
static const int64_t answerWithin = 5 * second;

struct connection {
    int fd;
    bool busy;       // a request is out
    int64_t due;     // of that request
    size_t sent;     // bytes of it
    size_t headUsed; // bytes of the answer's header so far
    int64_t bodyLeft; // -1: still in the header
    int status;
    bool closes;
    char *head;
};

static struct sockaddr_in address;
static char *request;
static size_t requestLength;
static int poller;
static struct connection *connections;
static int connectionCount = 64;
// Connections that are free, first come first used.
static int *ring;
static int ringHead, ringCount;

static int64_t *latencies, *lags;
static int64_t answered, lagged, sentCount;
static int64_t connectErrors, statusErrors, closedErrors, malformedErrors, timeoutErrors, reconnects;
static bool counting;

static void die(const char *what) {
    fprintf(stderr, "open-loop: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * second + t.tv_nsec;
}

static void *array(size_t count, size_t size) {
    void *memory = calloc(count ? count : 1, size);
    if (!memory) die("memory");
    return memory;
}

static int openSocket(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) die("socket");
    // Blocking, since the server is on this machine; later the flags of send and recv say not to wait.
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return fd;
}

static void watch(struct connection *c, int operation, uint32_t events) {
    struct epoll_event event = {.events = events, .data.u32 = (uint32_t)(c - connections)};
    if (epoll_ctl(poller, operation, c->fd, &event) != 0) die("epoll_ctl");
}

static bool connectAgain(struct connection *c) {
    c->fd = openSocket();
    if (c->fd < 0) {
        connectErrors++;
        return false;
    }
    watch(c, EPOLL_CTL_ADD, EPOLLIN);
    return true;
}

static void putFree(struct connection *c) {
    c->busy = false;
    ring[(ringHead + ringCount++) % connectionCount] = (int)(c - connections);
}

static void drop(struct connection *c) {
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
    putFree(c);
}

static void sendMore(struct connection *c) {
    while (c->sent < requestLength) {
        ssize_t n = send(c->fd, request + c->sent, requestLength - c->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) {
            watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
            return;
        }
        if (n < 0) {
            closedErrors++;
            drop(c);
            return;
        }
        c->sent += (size_t)n;
    }
}

static void begin(int64_t due) {
    struct connection *c = &connections[ring[ringHead]];
    ringHead = (ringHead + 1) % connectionCount;
    ringCount--;
    sentCount++;
    c->busy = true;
    if (c->fd < 0) {
        reconnects++;
        if (!connectAgain(c)) {
            putFree(c);
            return;
        }
    }
    c->due = due;
    c->sent = c->headUsed = 0;
    c->bodyLeft = -1;
    sendMore(c);
}

static void finish(struct connection *c) {
    if (c->status != 200) statusErrors++;
    else if (counting) latencies[answered++] = now() - c->due;
    else answered++;
    if (c->closes) drop(c);
    else putFree(c);
}

// Reads the header once it is whole; false where it is none.
static bool readHead(struct connection *c, size_t length) {
    c->head[length] = 0;
    if (strncmp(c->head, "HTTP/1.1 ", 9) != 0) return false;
    c->status = atoi(c->head + 9);
    c->closes = false;
    int64_t body = -1;
    for (char *line = strstr(c->head, "\r\n"); line && line[2]; line = strstr(line + 2, "\r\n")) {
        char *field = line + 2;
        if (strncasecmp(field, "content-length:", 15) == 0) body = strtoll(field + 15, NULL, 10);
        if (strncasecmp(field, "connection: close", 17) == 0) c->closes = true;
    }
    c->bodyLeft = body;
    return body >= 0;
}

static void receive(struct connection *c) {
    static char chunk[CHUNK_BYTES];
    while (c->busy) {
        char *target = c->bodyLeft < 0 ? c->head + c->headUsed : chunk;
        size_t room = c->bodyLeft < 0 ? HEAD_BYTES - 1 - c->headUsed : sizeof chunk;
        ssize_t n = recv(c->fd, target, room, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) {
            closedErrors++;
            drop(c);
            return;
        }
        if (c->bodyLeft < 0) {
            c->headUsed += (size_t)n;
            c->head[c->headUsed] = 0;
            char *end = strstr(c->head, "\r\n\r\n");
            if (!end && c->headUsed < HEAD_BYTES - 1) continue;
            size_t length = end ? (size_t)(end - c->head) + 4 : 0;
            size_t rest = c->headUsed - length;
            // Only the line ends of the header are looked at: the body behind it is cut off first.
            char first = end ? c->head[length] : 0;
            if (!end || !readHead(c, length) || (int64_t)rest > c->bodyLeft) {
                malformedErrors++;
                drop(c);
                return;
            }
            c->head[length] = first;
            c->bodyLeft -= (int64_t)rest;
        } else {
            c->bodyLeft -= n;
        }
        if (c->bodyLeft < 0) {
            malformedErrors++;
            drop(c);
        } else if (c->bodyLeft == 0) {
            finish(c);
        }
    }
    // What is readable without a request out: the server closes.
}

static void handle(struct connection *c, uint32_t events) {
    if (c->fd < 0) return;
    if (!c->busy) {
        char byte;
        ssize_t n = recv(c->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
        // It stays in the ring of the free, without a socket.
        if (n > 0) malformedErrors++;
        close(c->fd);
        c->fd = -1;
        return;
    }
    if (events & EPOLLOUT) {
        sendMore(c);
        if (c->fd >= 0 && c->sent == requestLength) watch(c, EPOLL_CTL_MOD, EPOLLIN);
    }
    if (c->busy && c->fd >= 0 && events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(c);
}

static void turn(int64_t until) {
    struct epoll_event events[256];
    int64_t wait = until - now();
    if (wait < 0) wait = 0;
    struct timespec timeout = {.tv_sec = wait / second, .tv_nsec = wait % second};
    int count = epoll_pwait2(poller, events, 256, &timeout, NULL);
    if (count < 0 && errno != EINTR) die("epoll_pwait2");
    for (int i = 0; i < count; i++) handle(&connections[events[i].data.u32], events[i].events);
}

static void waitForAnswers(int64_t deadline) {
    while (ringCount < connectionCount && now() < deadline) turn(deadline);
    for (int i = 0; i < connectionCount; i++)
        if (connections[i].busy) {
            timeoutErrors++;
            drop(&connections[i]);
        }
}

static int compare(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double microseconds(const int64_t *sorted, int64_t count, double share) {
    if (count == 0) return 0;
    int64_t index = (int64_t)(share * (double)count);
    return (double)sorted[index < count ? index : count - 1] / 1000;
}

static void awaitLine(void) {
    char line[64];
    if (!fgets(line, sizeof line, stdin)) exit(1);
}

static void readRequest(const char *host, int port, const char *path, const char *bodyPath) {
    char *body = NULL;
    size_t length = 0;
    if (bodyPath) {
        FILE *file = fopen(bodyPath, "rb");
        if (!file) die(bodyPath);
        fseek(file, 0, SEEK_END);
        length = (size_t)ftell(file);
        rewind(file);
        body = array(length, 1);
        if (fread(body, 1, length, file) != length) die(bodyPath);
        fclose(file);
    }
    char head[2048];
    int headLength = snprintf(head, sizeof head,
        "%s %s HTTP/1.1\r\nHost: %s:%d\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
        bodyPath ? "POST" : "GET", path, host, port, length);
    if (headLength <= 0 || (size_t)headLength >= sizeof head) die("path is too long");
    requestLength = (size_t)headLength + length;
    request = array(requestLength, 1);
    memcpy(request, head, (size_t)headLength);
    if (length) memcpy(request + headLength, body, length);
    free(body);
}

int main(int argc, char **argv) {
    const char *host = "127.0.0.1", *path = "/", *bodyPath = NULL;
    int port = 0, idleCount = 0;
    double rate = 1000, seconds = 2;
    bool waits = false;
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i];
        if (strcmp(name, "--wait") == 0) {
            waits = true;
            continue;
        }
        const char *value = i + 1 < argc ? argv[++i] : NULL;
        if (!value) { errno = EINVAL; die(name); }
        if (strcmp(name, "--host") == 0) host = value;
        else if (strcmp(name, "--port") == 0) port = atoi(value);
        else if (strcmp(name, "--path") == 0) path = value;
        else if (strcmp(name, "--body") == 0) bodyPath = value;
        else if (strcmp(name, "--rate") == 0) rate = atof(value);
        else if (strcmp(name, "--seconds") == 0) seconds = atof(value);
        else if (strcmp(name, "--connections") == 0) connectionCount = atoi(value);
        else if (strcmp(name, "--idle") == 0) idleCount = atoi(value);
        else { errno = EINVAL; die(name); }
    }
    errno = EINVAL;
    if (port <= 0 || rate <= 0 || rate > 1e7 || seconds <= 0 || seconds > 3600 || connectionCount < 1 || idleCount < 0)
        die("--port, --rate, --seconds, --connections or --idle");

    prctl(PR_SET_TIMERSLACK, 1UL);
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)port);
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1) die(host);
    readRequest(host, port, path, bodyPath);

    int64_t total = (int64_t)(rate * seconds);
    latencies = array((size_t)total, sizeof *latencies);
    lags = array((size_t)total, sizeof *lags);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (poller < 0) die("epoll_create1");

    int *idle = array((size_t)idleCount, sizeof *idle);
    for (int i = 0; i < idleCount; i++)
        if ((idle[i] = openSocket()) < 0) die("idle connection");
    connections = array((size_t)connectionCount, sizeof *connections);
    ring = array((size_t)connectionCount, sizeof *ring);
    for (int i = 0; i < connectionCount; i++) {
        connections[i].head = array(HEAD_BYTES, 1);
        if (!connectAgain(&connections[i])) die("connection");
        putFree(&connections[i]);
    }
    // One answer over each, 64 at a time: what a first request costs is not what is measured.
    for (int64_t first = 0; first < connectionCount; first += 64) {
        for (int64_t i = first; i < first + 64 && i < connectionCount; i++) begin(now());
        waitForAnswers(now() + answerWithin);
    }
    int64_t warmed = answered, warmErrors = connectionCount - warmed;
    if (warmed == 0) { errno = EPROTO; die("no answer"); }
    answered = sentCount = 0;
    connectErrors = statusErrors = closedErrors = malformedErrors = timeoutErrors = reconnects = 0;
    counting = true;
    if (waits) {
        puts("ready");
        awaitLine();
    }

    int64_t start = now(), stop = start + (int64_t)(seconds * (double)second), next = 0;
    double interval = (double)second / rate;
    while (next < total) {
        int64_t time = now();
        if (time >= stop) break;
        int64_t due = start + (int64_t)((double)next * interval);
        while (next < total && ringCount > 0 && due <= time) {
            lags[lagged++] = time - due;
            begin(due);
            due = start + (int64_t)((double)++next * interval);
        }
        turn(ringCount > 0 && next < total && due < stop ? due : stop);
    }
    int64_t sendingEnded = now();
    waitForAnswers(now() + answerWithin);
    int64_t ended = now();

    int lostIdle = 0;
    for (int i = 0; i < idleCount; i++) {
        char byte;
        if (recv(idle[i], &byte, 1, MSG_DONTWAIT | MSG_PEEK) >= 0 || errno != EAGAIN) lostIdle++;
    }
    qsort(latencies, (size_t)answered, sizeof *latencies, compare);
    qsort(lags, (size_t)lagged, sizeof *lags, compare);
    int64_t errors = connectErrors + statusErrors + closedErrors + malformedErrors + timeoutErrors;
    printf("{\"offered\": %.1f, \"achieved\": %.1f, \"due\": %lld, \"sent\": %lld, \"answered\": %lld, \"unsent\": %lld, "
           "\"seconds\": %.4f, \"drained\": %.4f, \"p50\": %.1f, \"p90\": %.1f, \"p99\": %.1f, \"p999\": %.1f, \"max\": %.1f, "
           "\"lag50\": %.1f, \"lag99\": %.1f, \"warmed\": %lld, \"warmErrors\": %lld, \"reconnects\": %lld, "
           "\"idleLost\": %d, \"errors\": %lld, \"errorKinds\": {\"connect\": %lld, \"status\": %lld, "
           "\"closed\": %lld, \"malformed\": %lld, \"timeout\": %lld}}\n",
        rate, (double)answered * (double)second / (double)(ended - start), (long long)total, (long long)sentCount,
        (long long)answered, (long long)(total - next), (double)(sendingEnded - start) / (double)second,
        (double)(ended - start) / (double)second, microseconds(latencies, answered, 0.5),
        microseconds(latencies, answered, 0.9), microseconds(latencies, answered, 0.99),
        microseconds(latencies, answered, 0.999), microseconds(latencies, answered, 1),
        microseconds(lags, lagged, 0.5), microseconds(lags, lagged, 0.99), (long long)warmed, (long long)warmErrors,
        (long long)reconnects, lostIdle, (long long)errors, (long long)connectErrors, (long long)statusErrors,
        (long long)closedErrors, (long long)malformedErrors, (long long)timeoutErrors);
    if (waits) awaitLine();
    return 0;
}
