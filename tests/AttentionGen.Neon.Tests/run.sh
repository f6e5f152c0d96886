#!/usr/bin/env bash
# Compiles the NEON cores to arm64 and runs them under emulation: run.sh TOOL OUT [SEED [CALLS [NAME]]], where TOOL is the run.sh of the emulation tool
# (it takes an assembly, a C harness and a folder, and installs what it needs). Without SEED all draws are the same each time; CALLS is how many
# random calls each declaration gets, and NAME a part of the names of those that run ("linear": the products with packed weights, which the library has).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tool=$1 out=$2
dotnet build -c Release -v q --nologo "$here" -o "$out/bin" >/dev/null
rm -f "$out"/bin/AttentionGen.Generator.* # it runs in the compiler; the tool would look for all that it refers to
rm -f "$out"/arm64/*.asm
cp "$here"/*.h "$here"/*.c "$out/"
# A listing multiplies by element so often, and keeps every vector in a register.
look() {
  local listing="$out/arm64/$2.asm" listings by_element on_stack
  listings=$(grep -c '^; Assembly listing for method' "$listing" || true)
  by_element=$(grep -cE 'fmla +v[0-9]+\.4s, v[0-9]+\.4s, v[0-9]+\.s\[[0-3]\]' "$listing" || true)
  on_stack=$(grep -cE '(ldr|str) +q[0-9]+, \[(fp|sp)|(ldp|stp) +q[0-9]+, q[0-9]+, \[(fp|sp)' "$listing" || true)
  [ "$listings" -eq "$3" ] || { echo "NEON, $1: FAILED, $listings of $3 methods were listed"; exit 1; }
  echo "NEON, $1: $by_element multiply-adds by element, $on_stack vectors on the stack"
  [ "$by_element" -ge "$4" ] && [ "$on_stack" -eq 0 ] || { echo "NEON, $1: FAILED, $4 multiply-adds by element or more were to be found, and no vector on the stack"; exit 1; }
}

# One compiling thread: two would write their listings into one another.
export DOTNET_PROCESSOR_COUNT=1
products="*linear_f32__neon_8x2:Multiply8"
if [[ linear == *"${5:-}"* ]]; then
  JITDISASM="$products ${products}BFloat16 ${products}SByte" "$tool" "$out/bin/AttentionGen.dll" "$out/linear.c" "$out/arm64" "${@:3:2}"
  look "tiles of products with packed weights" AttentionGen 3 192
fi
[ "${5:-}" != linear ] || exit 0
JITDISASM="*forward_f32_d64_causal__neon_8x2:Weights *forward_f32_d64_causal__neon_8x2:Values8x2" "$tool" "$out/bin/AttentionGen.Neon.Tests.dll" "$out/harness.c" "$out/arm64" "${@:3}"
look "canonical tile" AttentionGen.Neon.Tests 2 128
