// What is asked for on the command line?
using System.Globalization;

namespace KeyEvt.Mutation;

/// <summary>The options of scripts/mutate.sh.</summary>
internal sealed record MutationOptions
{
    public const string Usage = """
        usage: scripts/mutate.sh COUNT [SEED] [--in FOLDER]... [--only N[,N]...] [--tests FOLDER]... [--parallel N] [--keep]
          COUNT          how many changes are tried
          SEED           chooses them; a new one each time when it is left out
          --in FOLDER    changes only files below this folder or this file; default src
          --only N,N     tries only those of the changes that have these numbers: the survivors of an earlier run of the same COUNT, SEED and source
          --tests FOLDER runs only the tests of this project; default all that need no servers
          --parallel N   so many test processes at a time; default 2
          --keep         leaves the copy with the changes in its temporary folder
        """;

    public int Count { get; private init; }

    public int Seed { get; private init; } = Environment.TickCount & int.MaxValue;

    /// <summary>What is changed; from the root of the tree.</summary>
    public IReadOnlyList<string> Folders { get; private init; } = [];

    /// <summary>The numbers of the changes that are tried; empty: all.</summary>
    public IReadOnlySet<int> Only { get; private init; } = new HashSet<int>();

    /// <summary>The test projects; from the root of the tree.</summary>
    public IReadOnlyList<string> Tests { get; private init; } = [];

    public int Parallel { get; private init; } = 2;

    public bool Keep { get; private init; }

    /// <returns>Null when the arguments are not those of <see cref="Usage"/>.</returns>
    public static MutationOptions? Parse(ReadOnlySpan<string> arguments)
    {
        var options = new MutationOptions();
        List<int> numbers = [];
        for (var i = 0; i < arguments.Length; i++)
        {
            var value = i + 1 < arguments.Length ? arguments[i + 1].TrimEnd('/') : "";
            switch (arguments[i])
            {
                case "--keep":
                    options = options with { Keep = true };
                    continue;
                case "--in" when value.Length > 0:
                    options = options with { Folders = [.. options.Folders, value] };
                    break;
                case "--only" when ReadNumbers(value) is { } only:
                    options = options with { Only = only };
                    break;
                case "--tests" when value.Length > 0:
                    options = options with { Tests = [.. options.Tests, value] };
                    break;
                case "--parallel" when IsNumber(value, out var parallel):
                    options = options with { Parallel = parallel };
                    break;
                case var text when numbers.Count < 2 && IsNumber(text, out var number):
                    numbers.Add(number);
                    continue;
                default:
                    return null;
            }

            i++;
        }

        return numbers switch
        {
            [var count] => options with { Count = count },
            [var count, var seed] => options with { Count = count, Seed = seed },
            _ => null,
        };
    }

    public bool IsWanted(string file) =>
        Folders.Count == 0 || Folders.Any(folder => file == folder || file.StartsWith(folder + "/", StringComparison.Ordinal));

    /// <returns>Null when it is no list of numbers.</returns>
    private static HashSet<int>? ReadNumbers(string list)
    {
        var numbers = new HashSet<int>();
        foreach (var text in list.Split(','))
        {
            if (!IsNumber(text, out var number)) return null;
            numbers.Add(number);
        }

        return numbers;
    }

    private static bool IsNumber(string text, out int number) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number > 0;
}
