using KeyEvt.Proxy.Tests.Session;
using Xunit;

namespace KeyEvt.Proxy.Tests.Cluster;

/// <summary>What does a session through the port of a cluster's node do with CLUSTER commands and redirections?</summary>
public sealed class NodePortSessionTests
{
    private static readonly string Slots = $"*1\r\n*3\r\n:0\r\n:99\r\n*3\r\n$8\r\n10.0.0.1\r\n:6379\r\n$40\r\n{NodePorts.One}\r\n";
    private static readonly string SlotsThroughPort = Slots.Replace("$8\r\n10.0.0.1\r\n:6379", "$5\r\nproxy\r\n:7001", StringComparison.Ordinal);

    [Fact]
    public async Task The_answer_of_a_cluster_command_is_found_by_its_own_marks_among_other_replies()
    {
        await using var session = new SessionUnderTest(nodePort: NodePorts.Translator());
        await session.Client.SendAsync("GET a\r\ncluster slots\r\nGET b\r\n");
        await session.Upstream.ExpectAsync("GET a\r\n");
        var (first, last) = await session.ReadQuestionAsync("cluster", "slots");

        // the value of a looks like such an answer, and is left alone; a push may come anywhere
        await session.Upstream.SendAsync($"${Slots.Length}\r\n{Slots}\r\n{first}>2\r\n+x\r\n+y\r\n{Slots}{last}");
        await session.Client.ExpectAsync($"${Slots.Length}\r\n{Slots}\r\n>2\r\n+x\r\n+y\r\n{SlotsThroughPort}");
        await session.Upstream.ExpectAsync("GET b\r\n");
        await session.Upstream.SendAsync("-MOVED 5 10.0.0.2:6379\r\n");
        await session.Client.ExpectAsync("-MOVED 5 proxy:7002\r\n");
    }

    [Theory]
    [InlineData("-NOAUTH Authentication required.\r\n", "-NOAUTH Authentication required.\r\n")]
    [InlineData("-ERR This instance has cluster support disabled\r\n", "-ERR This instance has cluster support disabled\r\n")]
    [InlineData("+QUEUED\r\n", "-ERR keyevt: CLUSTER commands that name nodes are not answered inside MULTI through the port of a cluster's node\r\n")]
    [InlineData("+what\r\n", "-ERR keyevt: the node's answer is none that KeyEvt understands\r\n")]
    public async Task Other_answers_are_passed_on_or_say_what_is_wrong(string answer, string expected)
    {
        await using var session = new SessionUnderTest(nodePort: NodePorts.Translator());
        await session.Client.SendAsync(SessionUnderTest.Request("CLUSTER", "SLOTS"));
        var (first, last) = await session.ReadQuestionAsync("CLUSTER", "SLOTS");
        await session.Upstream.SendAsync(first + answer + last);
        await session.Client.ExpectAsync(expected);
    }

    [Fact]
    public async Task An_answer_beyond_the_limit_is_an_error()
    {
        await using var session = new SessionUnderTest(nodePort: NodePorts.Translator());
        await session.Client.SendAsync("CLUSTER NODES\r\n");
        var (first, last) = await session.ReadQuestionAsync("CLUSTER", "NODES");
        await session.Upstream.SendAsync(first + $"${5_000_000}\r\n");
        for (var i = 0; i < 5; i++) await session.Upstream.SendAsync(new string('x', 1_000_000));
        await session.Upstream.SendAsync("\r\n" + last + "+next\r\n");
        await session.Client.ExpectAsync("-ERR keyevt: the answer is larger than 4194304 bytes\r\n+next\r\n");
    }

    [Fact]
    public async Task Other_cluster_commands_go_through_untouched()
    {
        await using var session = new SessionUnderTest(nodePort: NodePorts.Translator());
        await session.Client.SendAsync("CLUSTER INFO\r\nCLUSTER KEYSLOT x\r\nCLUSTER COUNTKEYSINSLOT 1\r\n");
        await session.Upstream.ExpectAsync("CLUSTER INFO\r\nCLUSTER KEYSLOT x\r\nCLUSTER COUNTKEYSINSLOT 1\r\n");
    }

    [Fact]
    public async Task After_client_reply_off_nothing_is_answered_and_replies_stay_off()
    {
        await using var session = new SessionUnderTest(nodePort: NodePorts.Translator());
        await session.Client.SendAsync("CLIENT REPLY OFF\r\nCLUSTER SLOTS\r\n");
        await session.Upstream.ExpectAsync("CLIENT REPLY OFF\r\n");
        await session.ReadMarkAsync();
        await session.ReadMarkAsync();
        Assert.Equal(["CLIENT", "REPLY", "ON"], await session.Upstream.ReadRequestAsync());
        var (first, last) = await session.ReadQuestionAsync("CLUSTER", "SLOTS");
        await session.Upstream.SendAsync("+OK\r\n" + first + Slots + last);
        Assert.Equal(["CLIENT", "REPLY", "OFF"], await session.Upstream.ReadRequestAsync());
        await session.Upstream.SendAsync("+later\r\n");
        await session.Client.ExpectAsync("+later\r\n");
    }

    [Fact]
    public async Task A_session_of_no_cluster_is_not_looked_into()
    {
        await using var session = new SessionUnderTest();
        await session.Client.SendAsync("CLUSTER SLOTS\r\n");
        await session.Upstream.ExpectAsync("CLUSTER SLOTS\r\n");
        await session.Upstream.SendAsync(Slots + "-MOVED 5 10.0.0.2:6379\r\n");
        await session.Client.ExpectAsync(Slots + "-MOVED 5 10.0.0.2:6379\r\n");
    }

    [Fact]
    public async Task A_key_evt_amqp_command_works_through_the_node_port_as_anywhere()
    {
        await using var session = new SessionUnderTest(nodePort: NodePorts.Translator());
        await session.Client.SendAsync("GET a\r\nkey_evt_amqp.info\r\n");
        await session.Upstream.ExpectAsync("GET a\r\n");
        var (first, last) = await session.ReadConfigQuestionAsync();
        await session.Upstream.SendAsync("-MOVED 5 10.0.0.2:6379\r\n" + first + SessionUnderTest.ConfigGranted + last);
        await session.Client.ExpectAsync("-MOVED 5 proxy:7002\r\n+DONE\r\n");
    }
}
