// How did an attempt to connect to the program end: by a refusal, or by a reset?
using System.Net;
using System.Net.Sockets;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

internal static class ConnectAttempts
{
    /// <summary>Waits for the reset of the connection. Not a byte may come before it.</summary>
    public static async Task IsResetAsync(RespClient client)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var error = await Assert.ThrowsAsync<SocketException>(async () => await client.Socket.ReceiveAsync(new byte[1], deadline.Token));
        Assert.Equal(SocketError.ConnectionReset, error.SocketErrorCode);
    }

    /// <returns>True if the connection was refused. False if it was accepted and then reset: the program did not know yet that Redis refuses.</returns>
    public static async Task<bool> IsRefusedAsync(KeyEvtProcess program)
    {
        try
        {
            await using var client = await program.ConnectAsync();
            await IsResetAsync(client);
            return false;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionRefused or SocketError.ConnectionReset)
        {
            // A reset may come so soon that connecting sees it already.
            return e.SocketErrorCode == SocketError.ConnectionRefused;
        }
    }

    public static async Task<bool> IsRefusedAsync(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port);
            return false;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionRefused or SocketError.ConnectionReset)
        {
            // A reset may come so soon that connecting sees it already.
            return e.SocketErrorCode == SocketError.ConnectionRefused;
        }
    }
}
