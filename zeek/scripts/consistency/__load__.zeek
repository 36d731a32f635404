@load ./main
@load ./agreement
