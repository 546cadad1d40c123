using System.Net.Sockets;
using KeyEvt.Forwarder.Feed;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Tls;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>Why did a connection end, in words?</summary>
public sealed class FeedEndTests
{
    private const string TlsQuestion = ", before it had answered anything: is it the port with TLS? Then write rediss:// instead of redis://";

    [Theory]
    [InlineData("redis://h", true, "the server closed the connection (restart, CLIENT KILL, an ACL change, or its client-output-buffer-limit)")]
    [InlineData("redis://h", false, "the server closed the connection" + TlsQuestion)]
    [InlineData("rediss://h", false, "the server closed the connection")]
    public async Task A_loop_that_ends_by_itself_was_closed_by_the_server(string address, bool hasAnswered, string text)
    {
        var end = End(hasAnswered, address);
        await end.GuardAsync(() => Task.CompletedTask);
        Assert.Equal(new RedisFault(RedisFaultKind.Closed, text), await end.Reached);
    }

    [Theory]
    [InlineData(true, "the connection broke: no route")]
    [InlineData(false, "the connection broke: no route" + TlsQuestion)]
    public async Task A_broken_connection_is_told_in_the_systems_words(bool hasAnswered, string text)
    {
        var end = End(hasAnswered);
        await end.GuardAsync(() => throw new IOException("no route"));
        Assert.Equal(new RedisFault(RedisFaultKind.Closed, text), await end.Reached);
    }

    [Fact]
    public async Task A_socket_error_and_a_cancellation_are_ends_as_well()
    {
        var end = End(true);
        await end.GuardAsync(() => throw new SocketException((int)SocketError.ConnectionReset));
        Assert.StartsWith("the connection broke: ", (await end.Reached).Text, StringComparison.Ordinal);

        end = End(true);
        await end.GuardAsync(() => throw new OperationCanceledException("cancelled"));
        Assert.Equal("the connection broke: cancelled", (await end.Reached).Text);
    }

    [Fact]
    public async Task The_first_reason_counts()
    {
        var end = End(true);
        var first = new RedisFault(RedisFaultKind.Protocol, "malformed");
        await end.GuardAsync(() => throw new RedisFaultException(first));
        await end.GuardAsync(() => throw new IOException("later"));
        await end.GuardAsync(() => throw new NotSupportedException("a bug"));
        end.Set(new RedisFault(RedisFaultKind.Stopped, "stopped"));
        Assert.Same(first, await end.Reached);
    }

    [Fact]
    public async Task A_bug_is_thrown_to_who_waits()
    {
        var end = End(true);
        await end.GuardAsync(() => throw new NotSupportedException("a bug"));
        await Assert.ThrowsAsync<NotSupportedException>(() => end.Reached);
    }

    private static FeedEnd End(bool hasAnswered, string address = "redis://h") => new(RedisAddress.Parse(address), new TlsFileNames("--upstream"), () => hasAnswered);
}
