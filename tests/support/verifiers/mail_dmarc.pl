# Asks Mail::DMARC (RFC 7489): one JSON object a line in, one a line out.
# Its argument is a file with a list of public suffixes.
# In: port of a name server, from (the field's value), dkim (list of result and domain), spf (the same).
# Out: result (pass, fail, none), disposition, and dkim and spf: whether each aligned.
use strict;
use warnings;
use JSON::PP;
use Mail::DMARC::PurePerl;
use Net::DNS::Resolver;

# It keeps reports and reads a list of exceptions where it is told to: here nowhere.
my $config = Mail::DMARC::PurePerl->new->get_config( Mail::DMARC::PurePerl->new->get_sharefile('mail-dmarc.ini') );
$config->{report_store}{auto_save} = 0;
$config->{dns}{public_suffix_list} = $ARGV[0];
delete $config->{smtp}{whitelist};
$SIG{__WARN__} = sub { };

my %resolvers;

sub resolver {
    my ($port) = @_;
    return $resolvers{$port} //= Net::DNS::Resolver->new(
        nameservers => ['127.0.0.1'], port => $port, recurse => 1, retry => 1, retrans => 1, dnsrch => 0,
        udp_timeout => 2, tcp_timeout => 2, srcaddr => '127.0.0.1' );
}

sub judged {
    my ($asked) = @_;
    my $dmarc = Mail::DMARC::PurePerl->new;
    $dmarc->{config} = $config;
    $dmarc->set_resolver( resolver( $asked->{port} ) );
    $dmarc->header_from_raw( $asked->{from} );
    $dmarc->dkim( result => $_->[0], domain => $_->[1], selector => 's' ) for @{ $asked->{dkim} };
    $dmarc->spf( scope => 'mfrom', result => $_->[0], domain => $_->[1] ) for @{ $asked->{spf} };
    my $result = $dmarc->validate;
    # Its result is fail until something passes, also where it found no policy that can be used.
    my $is_used = eval { $result->published } && !grep { $_->type eq 'other' } @{ $result->reason };
    return {
        result      => $is_used ? $result->result : 'none',
        disposition => $result->disposition,
        dkim        => $result->dkim eq 'pass' ? 'pass' : '',
        spf         => $result->spf eq 'pass' ? 'pass' : '',
        comment     => join '; ', map { $_->comment // $_->type } @{ $result->reason },
    };
}

$| = 1;
while ( my $line = <STDIN> ) {
    my $answer = eval { judged( decode_json($line) ) };
    print encode_json( $answer || { result => 'error', comment => "$@" } ), "\n";
}
