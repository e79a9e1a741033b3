# What Perl programs do with memory: hashes of arrays, split and join, patterns, sorting. Ours, no input.
use strict;
use warnings;
use integer;

my $state = 1;
sub draw {
    $state = ($state * 1103515245 + 12345) & 0x7fffffff;
    return ($state >> 8) % $_[0];
}

my @syllables = qw(ka me ti ro su la no da ve xi);
sub word { return join '', map { $syllables[draw(scalar @syllables)] } 0 .. draw(4) }

sub lines { return map { join ',', map { word() } 0 .. 4 + draw(8) } 1 .. $_[0] }

sub index_of {
    my %index;
    my $number = 0;
    for my $line (@_) {
        $number++;
        push @{ $index{$_} }, $number for split /,/, $line;
    }
    return \%index;
}

my $checksum = 0;
for my $round (1 .. 4) {
    my @lines = lines(7000);
    my $index = index_of(@lines);
    my @common = sort { @{ $index->{$b} } <=> @{ $index->{$a} } || $a cmp $b } keys %$index;
    my $text = join "\n", @lines;
    my $changed = ($text =~ s/(ka|ro)(\w+)/<$1>$2/g);
    my %reversed = map { $_ => scalar reverse $_ } @common;
    my @sorted = sort map { lc } split /[,\n]/, $text;
    $checksum = ($checksum * 31 + length($text) + $changed + @sorted + keys(%reversed)
        + @{ $index->{ $common[0] } }) & 0xffffffff;
}
print "perl $checksum\n";
