#pragma warning disable CS0618 // the flags of a command are of no interest here
using KeyEvt.Forwarder.Fallback.Lists;
using StackExchange.Redis;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Fallback;

/// <summary>Is what people read of a failed command for the fallback storage about Redis, and not about the client library?</summary>
public sealed class RedisWordsTests
{
    [Fact]
    public void A_command_that_the_client_library_does_not_send_is_a_failed_step_and_no_fault_of_the_program()
    {
        var refused = new RedisCommandException("Multi-key operations must involve a single slot");
        Assert.True(RedisListStore.IsExpected(refused));
        Assert.Equal("Multi-key operations must involve a single slot", RedisListStore.Failure(refused).Message);
    }

    /// <summary>As StackExchange.Redis says it.</summary>
    private const string State = "outbound=0KiB, inbound=0KiB, inst: 0, qu: 0, qs: 3, aw: False, bw: SpinningDown, rs: ReadAsync, ws: Idle, in: 0, last-in: 0, cur-in: 0, sync-ops: 0, async-ops: 7, mc: 1/1/0, mgr: 10 of 10 available, clientName: keyevt, IOCP: (Busy=0,Free=1000,Min=2,Max=1000), WORKER: (Busy=1,Free=32766,Min=2,Max=32767), v: 3.4.35";

    [Fact]
    public void What_redis_says_is_passed_on_without_control_characters() =>
        Assert.Equal("OOM command not allowed  when used memory > 'maxmemory'.", RedisErrorText.Of(new RedisServerException("OOM command not allowed\r\nwhen used memory > 'maxmemory'.")));

    [Fact]
    public void A_timeout_is_one() =>
        Assert.Equal("Redis did not answer in time", RedisErrorText.Of(new RedisTimeoutException($"Timeout awaiting response ({State})", CommandStatus.Sent)));

    [Theory]
    [InlineData(ConnectionFailureType.UnableToConnect, "Redis cannot be reached")]
    [InlineData(ConnectionFailureType.AuthenticationFailure, "Redis refuses the login")]
    [InlineData(ConnectionFailureType.SocketClosed, "there is no connection to Redis")]
    public void A_connection_that_is_not_there_is_named_by_its_kind(ConnectionFailureType kind, string words) =>
        Assert.Equal(words, RedisErrorText.Of(new RedisConnectionException(kind, $"No connection is active/available to service this operation: EVAL; {State}")));

    [Fact]
    public void What_the_network_says_is_passed_on()
    {
        var refused = new System.Net.Sockets.SocketException((int)System.Net.Sockets.SocketError.ConnectionRefused);
        Assert.Equal($"Redis cannot be reached: {refused.Message}", RedisErrorText.Of(new RedisConnectionException(ConnectionFailureType.UnableToConnect, State, refused)));
    }

    [Fact]
    public void The_librarys_state_behind_any_other_sentence_is_left_out() =>
        Assert.Equal("no master is known", RedisErrorText.Of(new IOException($"no master is known, mc: 1/1/0, {State}")));
}
