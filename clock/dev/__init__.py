"""Everything on one machine, for a laptop: server, clock and worker under one command."""
