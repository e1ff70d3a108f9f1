// libyaml for Swift.
#ifndef AMERON_CYAML_SHIM_H
#define AMERON_CYAML_SHIM_H

#include <yaml.h>

#endif
