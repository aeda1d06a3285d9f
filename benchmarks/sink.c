/* The cheapest receiver that still gives right receipts: reads POSTs by their Content-Length on keep-alive connections,
 * counts the invoices in each body and answers 202 at once. A GET answers with the counts so far, as JSON.
 *
 *     cc -O2 -o sink sink.c && ./sink       prints the port on which it listens
 *
 * It is in C since a client that blasts ready bytes would else measure its server. One thread, so that it fits one core.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MARK "\"InvoiceNumber\":"
#define SPARE 65536

struct connection {
    int fd;
    char *data;
    size_t length, room;
    size_t head, body; /* sizes of the request that is being read; head 0: not known yet */
};

static unsigned long requests, invoices, bytes;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static unsigned long count(const char *from, size_t length) {
    unsigned long found = 0;
    const char *end = from + length, *next;
    while ((next = memmem(from, (size_t)(end - from), MARK, sizeof MARK - 1))) {
        found++;
        from = next + sizeof MARK - 1;
    }
    return found;
}

/* Whether a whole head is there; then its size and the body's are known. */
static int read_head(struct connection *c) {
    char *end = memmem(c->data, c->length, "\r\n\r\n", 4);
    if (!end)
        return 0;
    *end = 0; /* the head becomes a string for the search; nobody reads its last line's end again */
    char *field = strcasestr(c->data, "\r\ncontent-length:");
    c->head = (size_t)(end - c->data) + 4;
    c->body = field ? strtoul(field + 17, NULL, 10) : 0;
    if (c->room < c->head + c->body + SPARE) {
        c->room = c->head + c->body + SPARE;
        if (!(c->data = realloc(c->data, c->room)))
            fail("realloc");
    }
    return 1;
}

static int answer(struct connection *c) {
    char body[256], whole[512];
    const char *status = "200 OK";
    if (memcmp(c->data, "GET ", 4) == 0) {
        snprintf(body, sizeof body, "{\"requests\":%lu,\"invoices\":%lu,\"bytes\":%lu}", requests, invoices, bytes);
    } else {
        unsigned long found = count(c->data + c->head, c->body);
        requests++, invoices += found, bytes += c->body;
        status = "202 Accepted";
        snprintf(body, sizeof body,
                 "{\"StatusDescription\":\"ok\",\"UploadedInvoicesCount\":%lu,\"FailedInvoicesCount\":0,"
                 "\"FailedInvoices\":null}", found);
    }
    int size = snprintf(whole, sizeof whole,
                        "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                        status, strlen(body), body);
    return send(c->fd, whole, (size_t)size, MSG_NOSIGNAL) == size;
}

/* Reads what there is and answers what is complete; 0 when the connection is over. */
static int serve(struct connection *c) {
    ssize_t got = recv(c->fd, c->data + c->length, c->room - c->length, 0);
    if (got <= 0)
        return 0;
    c->length += (size_t)got;
    while ((c->head || read_head(c)) && c->length >= c->head + c->body) {
        if (!answer(c))
            return 0;
        c->length -= c->head + c->body;
        memmove(c->data, c->data + c->head + c->body, c->length);
        c->head = 0;
    }
    return c->length < c->room; /* a head that fills all the room is none */
}

int main(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0), poll = epoll_create1(0);
    if (listener < 0 || poll < 0 || bind(listener, (struct sockaddr *)&address, size) || listen(listener, 1024) ||
        getsockname(listener, (struct sockaddr *)&address, &size))
        fail("sink");
    struct epoll_event event = {.events = EPOLLIN}, ready[64]; /* no data: the listener */
    if (epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event))
        fail("epoll_ctl");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        int many = epoll_wait(poll, ready, 64, -1);
        for (int i = 0; i < many; i++) {
            struct connection *c = ready[i].data.ptr;
            if (c) {
                if (!serve(c)) {
                    close(c->fd);
                    free(c->data);
                    free(c);
                }
                continue;
            }
            if (!(c = calloc(1, sizeof *c)) || !(c->data = malloc(SPARE)))
                fail("malloc");
            c->room = SPARE;
            if ((c->fd = accept(listener, NULL, NULL)) < 0)
                fail("accept");
            setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
            event = (struct epoll_event){.events = EPOLLIN, .data.ptr = c};
            if (epoll_ctl(poll, EPOLL_CTL_ADD, c->fd, &event))
                fail("epoll_ctl");
        }
    }
}
