#!/bin/bash
# A run on the nodes of one Slurm job: `sbatch docs/slurm.sh --out /shared/suti`. See docs/cluster.md.
#SBATCH --job-name=tutelage
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=64
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
set -euo pipefail

port=$((20000 + SLURM_JOB_ID % 20000))
head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
address=$(srun --nodes=1 --ntasks=1 --nodelist="$head" hostname --ip-address | awk '{print $1}')

# Who does not know the token of this job cannot use its cluster.
export RAY_AUTH_MODE=token
RAY_AUTH_TOKEN=$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')
export RAY_AUTH_TOKEN

# A node is one worker for each of its accelerators. --block: a node that is lost ends its own step only.
flags=(--block --num-cpus="$SLURM_CPUS_PER_TASK" --num-gpus="$SLURM_GPUS_ON_NODE")
srun --nodes=1 --ntasks=1 --overlap --nodelist="$head" \
    ray start --head --node-ip-address="$address" --port="$port" "${flags[@]}" &
sleep 20
if ((SLURM_JOB_NUM_NODES > 1)); then
    srun --nodes=$((SLURM_JOB_NUM_NODES - 1)) --ntasks=$((SLURM_JOB_NUM_NODES - 1)) --overlap --exclude="$head" \
        --kill-on-bad-exit=0 ray start --address="$address:$port" "${flags[@]}" &
    sleep 20
fi

srun --nodes=1 --ntasks=1 --overlap --nodelist="$head" \
    tutelage run suti --executor ray --ray-address "$address:$port" "$@"
