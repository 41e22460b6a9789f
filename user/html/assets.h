/* SPDX-License-Identifier: GPL-2.0 */
/* The parts of the page that are the same for every recording, NUL-terminated. */
#ifndef HTML_ASSETS_H
#define HTML_ASSETS_H

extern const char page_style[], page_body[], page_code[];

#endif
