// memcheck: the first kernel leaves a pointer behind, the caller frees what it points to, the second kernel reads it.

extern "C" __global__ void keep_pointer(const float* x, const float** kept) { *kept = x; }

extern "C" __global__ void use_kept_pointer(const float* const* kept, float* y) { y[threadIdx.x] = (*kept)[threadIdx.x]; }
