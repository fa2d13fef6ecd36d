# Evaluates the lines of standard input with Mail::SPF: port of a name server, client, scope, identity, HELO.
use strict;
use warnings;
use Mail::SPF;
use Net::DNS::Resolver;
$| = 1;
my %servers;
while (my $line = <STDIN>) {
    chomp $line;
    my ($port, $client, $scope, $identity, $helo) = split /\t/, $line;
    my $server = $servers{$port} //= Mail::SPF::Server->new(
        dns_resolver => Net::DNS::Resolver->new(
            nameservers => ['127.0.0.1'], port => $port, recurse => 1, retry => 1, retrans => 1,
            udp_timeout => 2, tcp_timeout => 2, srcaddr => '127.0.0.1'),
        query_rr_types => Mail::SPF::Server->query_rr_type_txt,
        max_void_dns_lookups => 2,
    );
    my $result = eval {
        my $request = Mail::SPF::Request->new(
            versions => [1], scope => $scope, identity => $identity, ip_address => $client,
            helo_identity => $helo);
        $server->process($request)->code;
    };
    print defined $result ? "$result\n" : "error\n";
}
