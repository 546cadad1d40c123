using System.Text;
using KeyEvt.Proxy.Candidates;
using KeyEvt.Resp.Requests;
using Xunit;

namespace KeyEvt.Proxy.Tests.Candidates;

/// <summary>Which requests are held, and what are they then?</summary>
public sealed class CandidateFilterTests
{
    [Theory]
    [InlineData("key_evt_amqp.info", 1, true)]
    [InlineData("KEY_EVT_AMQP.", 9, true)]
    [InlineData("key_evt_amqp", 1, false)]
    [InlineData("key_evt_amqq.info", 1, false)]
    [InlineData("KEYS", 2, false)]
    [InlineData("module", 3, true)]
    [InlineData("MODULE", 2, false)]
    [InlineData("Client", 3, true)]
    [InlineData("CLIENT", 2, false)]
    [InlineData("CLIENT", 4, false)]
    [InlineData("CLIENTS", 3, false)]
    [InlineData("module", IRequestFilter.UnknownCount, true)]
    [InlineData("client", IRequestFilter.UnknownCount, true)]
    [InlineData("cluster", IRequestFilter.UnknownCount, false)]
    [InlineData("GET", 2, false)]
    [InlineData("", 1, false)]
    public void Only_what_may_concern_the_proxy_is_held(string name, long arguments, bool held)
    {
        var head = Encoding.ASCII.GetBytes(name).AsSpan(0, Math.Min(16, name.Length));
        Assert.Equal(held, default(CandidateFilter).IsCandidate(head, name.Length, arguments));
    }

    [Theory]
    [InlineData("CLUSTER", 1, false)]
    [InlineData("cluster", 2, true)]
    [InlineData("cluster", 3, true)]
    [InlineData("cluster", 4, false)]
    [InlineData("cluster", IRequestFilter.UnknownCount, true)]
    public void A_node_port_looks_at_CLUSTER(string name, long arguments, bool held) =>
        Assert.Equal(held, new CandidateFilter(isNodePort: true).IsCandidate(Encoding.ASCII.GetBytes(name), name.Length, arguments));

    [Theory]
    [InlineData("SUBSCRIBE")]
    [InlineData("psubscribe")]
    [InlineData("Unsubscribe")]
    [InlineData("PUNSUBSCRIBE")]
    [InlineData("multi")]
    [InlineData("EXEC")]
    [InlineData("DISCARD")]
    [InlineData("HELLO")]
    [InlineData("RESET")]
    public void Merging_needs_more_of_them_and_only_merging(string name)
    {
        var head = Encoding.ASCII.GetBytes(name);
        Assert.True(new CandidateFilter(isNodePort: true, isMerging: true).IsCandidate(head, name.Length, 1));
        Assert.False(new CandidateFilter(isNodePort: true).IsCandidate(head, name.Length, 1));
        Assert.False(new CandidateFilter(isNodePort: true, isMerging: true).IsCandidate(head, name.Length + 1, 1));
    }

    [Theory]
    [InlineData("key_evt_amqp.x", RequestKind.Own)]
    [InlineData("Key_Evt_Amqp.", RequestKind.Own)]
    [InlineData("MODULE LOAD /lib/redis_keyspace_amqp.so xe", RequestKind.Own)]
    [InlineData("module load libredis_keyspace_amqp.so.1", RequestKind.Own)]
    [InlineData("MODULE LOAD /redis_keyspace_amqp/other.so", RequestKind.Ordinary)]
    [InlineData("MODULE LOAD /lib/other.so redis_keyspace_amqp", RequestKind.Ordinary)]
    [InlineData("MODULE UNLOAD key_evt_amqp", RequestKind.Own)]
    [InlineData("MODULE UNLOAD other", RequestKind.Ordinary)]
    [InlineData("MODULE UNLOAD key_evt_amqp x", RequestKind.Ordinary)]
    [InlineData("MODULE LOADEX /lib/redis_keyspace_amqp.so", RequestKind.Ordinary)]
    [InlineData("CLIENT REPLY OFF", RequestKind.SilencesReplies)]
    [InlineData("client reply skip", RequestKind.SilencesReplies)]
    [InlineData("CLIENT REPLY on", RequestKind.Ordinary)]
    [InlineData("CLIENT SETNAME off", RequestKind.Ordinary)]
    public void A_held_request_is_told_apart(string request, object kind) =>
        Assert.Equal(kind, RequestKinds.Of(new RespRequest([.. request.Split(' ').Select(argument => (ReadOnlyMemory<byte>)Encoding.ASCII.GetBytes(argument))])));
}
