// What does the code look like that turns one mutant on?
namespace KeyEvt.Mutation;

/// <summary>The file that is added to each project of the copy. All mutants are compiled in; an environment variable of the test process turns one on.</summary>
internal static class SwitchSource
{
    public const string FileName = "MutantSwitch.g.cs";

    /// <summary>The number of the mutant that is on.</summary>
    public const string ActiveVariable = "MUTANT_ACTIVE";

    /// <summary>A file with one byte a mutant, which becomes 1 when its place is reached.</summary>
    public const string PlacesVariable = "MUTANT_PLACES";

    // The file is mapped into memory: what was reached is known even of a process that crashed, and of all assemblies together.
    public const string Text = $$"""
        internal static unsafe class MutantSwitch
        {
            private static readonly int Active = int.TryParse(global::System.Environment.GetEnvironmentVariable("{{ActiveVariable}}"), out var id) ? id : 0;
            private static readonly byte* Places = Map(global::System.Environment.GetEnvironmentVariable("{{PlacesVariable}}"));

            [global::System.Runtime.CompilerServices.MethodImpl(global::System.Runtime.CompilerServices.MethodImplOptions.AggressiveInlining)]
            public static bool Is(int id)
            {
                if (Places != null) Places[id] = 1;
                return id == Active;
            }

            private static byte* Map(string path)
            {
                byte* places = null;
                if (path is null) return places;
                var file = global::System.IO.MemoryMappedFiles.MemoryMappedFile.CreateFromFile(path, global::System.IO.FileMode.Open);
                file.CreateViewAccessor().SafeMemoryMappedViewHandle.AcquirePointer(ref places);
                return places;
            }
        }
        """;
}
