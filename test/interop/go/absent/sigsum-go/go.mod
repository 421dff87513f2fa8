// Stands in for a module that only programs of torchwood need which are not built here.
module sigsum.org/sigsum-go

go 1.23
