@load ./types
@load ./options
