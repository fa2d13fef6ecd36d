# Asks Mail::DKIM about messages: one JSON object a line in, one a line out, as mailauth.js does.
# It reports DKIM results per signature, and the result of the ARC chain.
use strict;
use warnings;
use JSON::PP;
use MIME::Base64;
use Mail::DKIM::ARC::Verifier;
use Mail::DKIM::DNS;
use Mail::DKIM::Verifier;
use Net::DNS;

my %dns;

sub answer {
    my ($name) = @_;
    my $texts = exists $dns{ lc $name } ? $dns{ lc $name } : [];
    die "DNS error: SERVFAIL\n" if !defined $texts;
    $@ = @$texts ? '' : 'NXDOMAIN';
    return map {
        my @strings = unpack '(a255)*', $_;
        Net::DNS::RR->new( owner => $name, type => 'TXT', txtdata => \@strings );
    } @$texts;
}

{
    no warnings 'redefine';
    *Mail::DKIM::DNS::query = sub { return answer( $_[0] ) };
}

sub verified {
    my ( $class, $raw ) = @_;
    my $verifier = $class->new();
    $verifier->PRINT($raw);
    $verifier->CLOSE;
    return $verifier;
}

$| = 1;
while ( my $line = <STDIN> ) {
    my $answer = eval {
        my $case = decode_json($line);
        %dns = %{ $case->{dns} };
        my $raw  = decode_base64( $case->{raw} );
        my $dkim = verified( 'Mail::DKIM::Verifier',      $raw );
        my $arc  = verified( 'Mail::DKIM::ARC::Verifier', $raw );
        {
            dkim     => [ map { $_->result } $dkim->signatures ],
            arc      => $arc->result,
            comments => [ ( map { $_->result_detail } $dkim->signatures ), $arc->result_detail ],
        };
    };
    print encode_json( $answer || { error => "$@" } ), "\n";
}
