// SPDX-License-Identifier: GPL-2.0
/*
 * swap_pages PID VA PID VA
 *
 * Two pages exchange their frames until Enter is pressed: closing the device takes it back, and so
 * does the end of this program, whatever it is.
 *
 *	cc swap_pages.c $(pkg-config --cflags --libs libptremap)
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <ptremap/libptremap.h>

static int swap(int fd, struct ptremap_item *item)
{
	uint32_t id;
	int err = ptremap_edit(fd, 0, item, 1, &id);

	if (err)
		fprintf(stderr, "%s\n",
			item->status ? ptremap_edit_strerror(item->what, item->status)
				     : ptremap_strerror(err));
	return err;
}

int main(int argc, char **argv)
{
	struct ptremap_item item = { .what = PTREMAP_SWAP };
	int fd, err;

	if (argc != 5) {
		fprintf(stderr, "usage: %s PID VA PID VA\n", argv[0]);
		return 2;
	}
	item.pid = atoi(argv[1]);
	item.va = strtoull(argv[2], NULL, 0);
	item.other_pid = atoi(argv[3]);
	item.other_va = strtoull(argv[4], NULL, 0);
	fd = ptremap_open();
	if (fd < 0) {
		fprintf(stderr, "%s: %s\n", PTREMAP_DEVICE, ptremap_strerror(fd));
		return 1;
	}
	err = swap(fd, &item);
	if (!err) {
		printf("0x%llx: 0x%llx -> 0x%llx; Enter takes it back\n", item.va, item.old,
		       item.new);
		getchar();
	}
	close(fd);
	return err != 0;
}
