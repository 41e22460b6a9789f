/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVM_ACCESS_H
#define KVM_ACCESS_H

/* From here on, what limits deny is done for the guest, or ends them. -errno: it cannot be. */
int access_init(void);
void access_exit(void);

#endif
