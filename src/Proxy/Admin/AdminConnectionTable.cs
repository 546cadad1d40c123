using System.Net;
using Microsoft.AspNetCore.Connections;

namespace KeyEvt.Proxy.Admin;

/// <summary>
/// Who stays connected to the admin pages when more come than there are places? The newest: the one that has been idle for longest is closed. Clients of this machine
/// have places of their own, so that nobody else keeps <c>keyevt health</c> out. Thread safe.
/// </summary>
internal sealed class AdminConnectionTable
{
    public const int PlacesOfEach = 32;

    private const int ThisMachine = 0;
    private const int Others = 1;

    private readonly Lock _gate = new();

    /// <summary>By pool; the one that has been in it for longest comes first.</summary>
    private readonly LinkedList<AdminConnection>[] _idle = [new(), new()];
    private readonly LinkedList<AdminConnection>[] _busy = [new(), new()];

    /// <summary>Stands before HTTP on each connection.</summary>
    public async Task RunAsync(ConnectionContext context, ConnectionDelegate next)
    {
        var connection = new AdminConnection(context, context.RemoteEndPoint is IPEndPoint ip && !IPAddress.IsLoopback(ip.Address) ? Others : ThisMachine);
        Enter(connection)?.Context.Abort(new ConnectionAbortedException("a newer connection needs its place"));
        context.Features.Set(connection);
        try
        {
            await next(context);
        }
        finally
        {
            Leave(connection);
        }
    }

    /// <summary>A request begins, or is answered.</summary>
    public void Mark(AdminConnection connection, bool isBusy)
    {
        lock (_gate)
        {
            if (connection.Place is null) return;
            Remove(connection);
            Add(connection, isBusy);
        }
    }

    /// <summary>Returns the one that has to go, if any.</summary>
    private AdminConnection? Enter(AdminConnection connection)
    {
        var (idle, busy) = (_idle[connection.Pool], _busy[connection.Pool]);
        lock (_gate)
        {
            var leaves = idle.Count + busy.Count < PlacesOfEach ? null : (idle.First ?? busy.First)?.Value;
            if (leaves is not null) Remove(leaves);
            Add(connection, isBusy: false);
            return leaves;
        }
    }

    private void Leave(AdminConnection connection)
    {
        lock (_gate)
        {
            if (connection.Place is not null) Remove(connection);
        }
    }

    private void Add(AdminConnection connection, bool isBusy)
    {
        connection.IsBusy = isBusy;
        connection.Place = ListOf(connection).AddLast(connection);
    }

    private void Remove(AdminConnection connection)
    {
        ListOf(connection).Remove(connection.Place!);
        connection.Place = null;
    }

    private LinkedList<AdminConnection> ListOf(AdminConnection connection) => (connection.IsBusy ? _busy : _idle)[connection.Pool];
}
