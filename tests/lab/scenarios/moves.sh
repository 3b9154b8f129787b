# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
# limit 4200
# As `move`, twenty times by xl save and xl restore and five times by xl migrate.
. /lab/scenarios/move.sh
saves=20 migrations=5
