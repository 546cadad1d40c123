using KeyEvt.Simulation.Clock;
using KeyEvt.Simulation.Net;
using StackExchange.Redis;

namespace KeyEvt.Simulation.Redis;

/// <summary>The connection of one program to one node for the fallback storage: each call arrives there in its turn, and is answered, refused, lost, or overdue.</summary>
internal sealed class ListConnection(VirtualNode node, VirtualTime time, Wire up, Wire down)
{
    /// <summary>As the client library's AsyncTimeout.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <summary>How long the client library needs to connect again.</summary>
    private static readonly TimeSpan Reconnect = TimeSpan.FromMilliseconds(300);

    private string _life = node.RunId;

    /// <summary>Whether the node runs. After a restart the first call finds that out, and fails.</summary>
    public bool IsConnected => node.IsUp;

    public Task<T> CallAsync<T>(Func<VirtualNode, T> step)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (node.IsUp && time.Now - node.UpSince >= Reconnect.Ticks) _life = node.RunId;
        if (!node.IsUp || node.RunId != _life)
        {
            down.Put(() => answer.TrySetException(new RedisConnectionException(ConnectionFailureType.UnableToConnect, CommandFlags.None, "no connection is active", null, CommandStatus.Unknown)));
            return answer.Task;
        }

        var life = _life;
        up.Put(() =>
        {
            if (!node.IsUp || node.RunId != life) Fail();
            else node.Handle(() => Do(step, answer));
        });
        time.After(Timeout, () => down.Put(() => answer.TrySetException(new RedisTimeoutException(CommandFlags.None, "the node has not answered in time", CommandStatus.Sent))));
        return answer.Task;

        void Fail() => down.Put(() => answer.TrySetException(new RedisConnectionException(ConnectionFailureType.SocketClosed, CommandFlags.None, "the connection was closed", null, CommandStatus.Sent)));
    }

    private void Do<T>(Func<VirtualNode, T> step, TaskCompletionSource<T> answer)
    {
        try
        {
            var result = step(node);
            down.Put(() => answer.TrySetResult(result));
        }
        catch (RedisServerException e)
        {
            down.Put(() => answer.TrySetException(e));
        }
    }
}
