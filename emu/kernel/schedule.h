#pragma once
#include "twofour/emu/timing/schedule.h"
