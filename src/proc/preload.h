/* For processes that verify signatures and read JSON in a jail: makes libraries load now what they
 * would open files for later. Before sandbox_enter*(), in place of sandbox_preload(). */
#ifndef VITRINE_PROC_PRELOAD_H
#define VITRINE_PROC_PRELOAD_H

#include "base/st.h"

st_t proc_preload(struct err *e);

#endif
