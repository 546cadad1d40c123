using System.Globalization;
using System.Net.Sockets;
using KeyEvt.Forwarder.Text;
using StackExchange.Redis;

namespace KeyEvt.Forwarder.Fallback.Lists;

/// <summary>
/// What went wrong with a command for the fallback storage, in words for people? Redis' own messages are passed on. Those of the client library are
/// not: they show its internal state (<c>mc: 1/1/0, mgr: 10 of 10 available, WORKER: ...</c>), and name neither the fault nor the remedy.
/// </summary>
internal static class RedisErrorText
{
    private const int MaxLength = 300;

    public static string Of(Exception error) => CleanText.Line(
        error switch
        {
            RedisServerException => error.Message,
            RedisConnectionException lost => $"{OfConnection(lost.FailureType)}{Cause(lost)}",
            RedisTimeoutException or TimeoutException => "Redis did not answer in time",
            ObjectDisposedException => "the connection to Redis is being closed",
            OperationCanceledException => "the command was given up before Redis had answered",
            _ => WithoutState(error.Message),
        },
        MaxLength);

    private static string OfConnection(ConnectionFailureType failure) => failure switch
    {
        ConnectionFailureType.UnableToConnect or ConnectionFailureType.UnableToResolvePhysicalConnection => "Redis cannot be reached",
        ConnectionFailureType.AuthenticationFailure => "Redis refuses the login",
        ConnectionFailureType.Loading => "Redis is loading its data",
        ConnectionFailureType.ProtocolFailure => "Redis sent something that is no answer",
        ConnectionFailureType.ConnectionDisposed => "the connection to Redis is being closed",
        _ => "there is no connection to Redis",
    };

    /// <summary>The network's error message, if there is one.</summary>
    private static string Cause(Exception error)
    {
        for (var inner = error.InnerException; inner is not null; inner = inner.InnerException)
        {
            if (inner is SocketException socket) return string.Create(CultureInfo.InvariantCulture, $": {socket.Message}");
        }

        return "";
    }

    /// <summary>Cuts off the library's internal state, which follows the sentence as a list of "name: value".</summary>
    private static string WithoutState(string message)
    {
        foreach (var mark in (ReadOnlySpan<string>)[", mc: ", ", inst: ", ", origin: ", ", mgr: ", "; UnableToConnect on "])
        {
            if (message.IndexOf(mark, StringComparison.Ordinal) is > 0 and var at) message = message[..at];
        }

        return message;
    }
}
